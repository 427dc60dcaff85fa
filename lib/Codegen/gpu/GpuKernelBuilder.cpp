// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Codegen/gpu/GpuKernelBuilder.h"
#include "pmpd/kernel.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

#include <cstddef>

using namespace mlir;

namespace pmpd::codegen {

constexpr int64_t warpSize = 32;
constexpr unsigned globalSpace = 1, sharedSpace = 3;

GpuKernelBuilder::GpuKernelBuilder(gpu::GPUFuncOp func)
    : IntegerBuilder(func.getLoc(), IntegerType::get(func.getContext(), 32)),
      func(func) {
  setInsertionPointToStart(&func.getBody().front());
}

//===----------------------------------------------------------------------===//
// Call and place
//===----------------------------------------------------------------------===//

Value GpuKernelBuilder::callField(int64_t offset) {
  Value call = func.getArgument(func.getNumArguments() - 1);
  return load(getI32Type(), at(call, offset));
}
Value GpuKernelBuilder::rows() {
  return callField(offsetof(pmpd_gpu_call, rows));
}
Value GpuKernelBuilder::position() {
  return callField(offsetof(pmpd_gpu_call, position));
}

int64_t GpuKernelBuilder::threads() { return (*func.getKnownBlockSize())[0]; }
Value GpuKernelBuilder::block() {
  return arith::IndexCastUIOp::create(
      *this, getI32Type(), gpu::BlockIdOp::create(*this, gpu::Dimension::x));
}
Value GpuKernelBuilder::thread() {
  return arith::IndexCastUIOp::create(
      *this, getI32Type(), gpu::ThreadIdOp::create(*this, gpu::Dimension::x));
}
Value GpuKernelBuilder::warp() { return div(thread(), warpSize); }
Value GpuKernelBuilder::lane() { return bitAnd(thread(), warpSize - 1); }
void GpuKernelBuilder::barrier() { gpu::BarrierOp::create(*this); }
void GpuKernelBuilder::waitForLaunchesBefore() {
  NVVM::GriddepcontrolOp::create(*this, NVVM::GridDepActionKind::wait);
}

//===----------------------------------------------------------------------===//
// Integers and f32
//===----------------------------------------------------------------------===//

Value GpuKernelBuilder::bitAnd(Value lhs, int64_t rhs) {
  return createOrFold<arith::AndIOp>(lhs, constant(rhs));
}
Value GpuKernelBuilder::shiftLeft(Value lhs, int64_t bits) {
  return bits ? createOrFold<arith::ShLIOp>(lhs, constant(bits)) : lhs;
}
Value GpuKernelBuilder::shiftRight(Value lhs, int64_t bits) {
  return bits ? createOrFold<arith::ShRUIOp>(lhs, constant(bits)) : lhs;
}
Value GpuKernelBuilder::less(Value lhs, Value rhs) {
  return createOrFold<arith::CmpIOp>(arith::CmpIPredicate::ult, lhs, rhs);
}
Value GpuKernelBuilder::equal(Value lhs, int64_t rhs) {
  return createOrFold<arith::CmpIOp>(arith::CmpIPredicate::eq, lhs,
                                     constant(rhs));
}
Value GpuKernelBuilder::real(double value) {
  return arith::ConstantOp::create(*this,
                                   getF32FloatAttr(static_cast<float>(value)));
}
Value GpuKernelBuilder::fma(Value lhs, Value rhs, Value addend) {
  return LLVM::FMAOp::create(*this, lhs, rhs, addend);
}
Value GpuKernelBuilder::select(Value condition, Value then, Value otherwise) {
  return createOrFold<arith::SelectOp>(condition, then, otherwise);
}

//===----------------------------------------------------------------------===//
// Control
//===----------------------------------------------------------------------===//

Values GpuKernelBuilder::loop(Value low, Value high, Value step,
                              ValueRange init, CarryBody body) {
  auto loop = scf::ForOp::create(*this, low, high, step, init);
  OpBuilder::InsertionGuard guard(*this);
  setInsertionPointToStart(loop.getBody());
  Values next = body(loop.getInductionVar(), loop.getRegionIterArgs());
  if (!init.empty())
    scf::YieldOp::create(*this, next);
  return loop.getResults();
}

void GpuKernelBuilder::loop(Value low, Value high, Value step, Body body) {
  loop(low, high, step, ValueRange(), [&](Value i, ValueRange) -> Values {
    body(i);
    return {};
  });
}

void GpuKernelBuilder::when(Value condition, llvm::function_ref<void()> body) {
  auto branch = scf::IfOp::create(*this, condition);
  OpBuilder::InsertionGuard guard(*this);
  setInsertionPointToStart(&branch.getThenRegion().front());
  body();
}

Values GpuKernelBuilder::when(Value condition, ValueRange values,
                              llvm::function_ref<Values()> body) {
  auto branch = scf::IfOp::create(*this, values.getTypes(), condition,
                                  /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(*this);
  setInsertionPointToStart(branch.thenBlock());
  scf::YieldOp::create(*this, body());
  setInsertionPointToStart(branch.elseBlock());
  scf::YieldOp::create(*this, values);
  return branch.getResults();
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

Value GpuKernelBuilder::at(Value pointer, Value bytes) {
  // Offsets of i32 are not negative, and GEP would extend their sign.
  if (bytes.getType().isInteger(32))
    bytes = createOrFold<arith::ExtUIOp>(getI64Type(), bytes);
  return LLVM::GEPOp::create(*this, pointer.getType(), getI8Type(), pointer,
                             ArrayRef<LLVM::GEPArg>{bytes});
}
Value GpuKernelBuilder::at(Value pointer, int64_t bytes) {
  if (bytes == 0)
    return pointer;
  Value offset = arith::ConstantOp::create(*this, getI64IntegerAttr(bytes));
  return at(pointer, offset);
}

Value GpuKernelBuilder::load(Type type, Value pointer, unsigned alignment,
                             bool constant) {
  auto op = LLVM::LoadOp::create(*this, type, pointer, alignment);
  op.setInvariant(constant);
  return op;
}
void GpuKernelBuilder::store(Value value, Value pointer, unsigned alignment) {
  LLVM::StoreOp::create(*this, value, pointer, alignment);
}
Value GpuKernelBuilder::loadReal(Type element, Value pointer, bool constant) {
  Value value = load(element, pointer, 0, constant);
  return element.isF32() ? value
                         : arith::ExtFOp::create(*this, getF32Type(), value);
}
void GpuKernelBuilder::storeReal(Value value, Type element, Value pointer) {
  if (!element.isF32())
    value = arith::TruncFOp::create(*this, element, value);
  store(value, pointer);
}

Value GpuKernelBuilder::shared(int64_t bytes) {
  std::string name =
      (func.getName() + "_shared" + llvm::Twine(sharedArrays++)).str();
  {
    OpBuilder::InsertionGuard guard(*this);
    setInsertionPoint(func);
    LLVM::GlobalOp::create(*this, LLVM::LLVMArrayType::get(getI8Type(), bytes),
                           /*isConstant=*/false, LLVM::Linkage::Internal, name,
                           Attribute(),
                           /*alignment=*/16, sharedSpace);
  }
  return LLVM::AddressOfOp::create(
      *this, LLVM::LLVMPointerType::get(getContext(), sharedSpace), name);
}

//===----------------------------------------------------------------------===//
// Reductions
//===----------------------------------------------------------------------===//

Value GpuKernelBuilder::exchange(Value value, int64_t laneDistance) {
  return gpu::ShuffleOp::create(*this, value, laneDistance, warpSize,
                                gpu::ShuffleMode::XOR)
      .getShuffleResult();
}

Value GpuKernelBuilder::sumOfWarp(Value value) {
  for (int64_t distance = warpSize / 2; distance > 0; distance /= 2)
    value = arith::AddFOp::create(*this, value, exchange(value, distance));
  return value;
}
Value GpuKernelBuilder::maxOfWarp(Value value) {
  for (int64_t distance = warpSize / 2; distance > 0; distance /= 2)
    value = arith::MaxNumFOp::create(*this, value, exchange(value, distance));
  return value;
}

Value GpuKernelBuilder::reduceBlock(Value value,
                                    llvm::function_ref<Value(Value)> reduceWarp,
                                    double neutral) {
  int64_t warps = threads() / warpSize;
  Value sums = shared(warpSize * sizeof(float));
  Value own = reduceWarp(value);
  when(equal(lane(), 0),
       [&] { store(own, at(sums, mul(warp(), sizeof(float)))); });
  barrier();
  Value inRange = less(lane(), constant(warps));
  Value index = select(inRange, lane(), constant(0));
  Value part = load(getF32Type(), at(sums, mul(index, sizeof(float))));
  return reduceWarp(select(inRange, part, real(neutral)));
}

Value GpuKernelBuilder::sumOfBlock(Value value) {
  return reduceBlock(
      value, [&](Value v) { return sumOfWarp(v); }, 0.0);
}
Value GpuKernelBuilder::maxOfBlock(Value value) {
  return reduceBlock(
      value, [&](Value v) { return maxOfWarp(v); },
      -std::numeric_limits<double>::infinity());
}

} // namespace pmpd::codegen
