// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Codegen/KernelBuilder.h"
#include "pmpd/layout.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace pmpd::codegen {

KernelBuilder::KernelBuilder(func::FuncOp func, const Target &target)
    : IntegerBuilder(func.getLoc(), IndexType::get(func.getContext())),
      func(func), machine(target) {
  setInsertionPointToStart(func.addEntryBlock());
}

Value KernelBuilder::scalarArgument(unsigned i) {
  return func.getArgument(func.getNumArguments() - 4 + i);
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

Values KernelBuilder::loop(Value low, Value high, int64_t step, ValueRange init,
                           CarryBody body) {
  auto loop = scf::ForOp::create(*this, low, high, index(step), init);
  OpBuilder::InsertionGuard guard(*this);
  setInsertionPointToStart(loop.getBody());
  Values next = body(loop.getInductionVar(), loop.getRegionIterArgs());
  // Without carried values the loop has been built with its terminator.
  if (!init.empty())
    scf::YieldOp::create(*this, next);
  return Values(loop.getResults());
}

void KernelBuilder::loop(Value low, Value high, int64_t step, Body body) {
  loop(low, high, step, ValueRange(), [&](Value i, ValueRange) {
    body(i);
    return Values();
  });
}

void KernelBuilder::doIf(arith::CmpIPredicate predicate, Value lhs, Value rhs,
                         llvm::function_ref<void()> body) {
  Value condition = arith::CmpIOp::create(*this, predicate, lhs, rhs);
  auto branch = scf::IfOp::create(*this, condition, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(*this);
  setInsertionPointToStart(branch.thenBlock());
  body();
}

void KernelBuilder::tasks(Body body) {
  loop(scalarArgument(2), scalarArgument(3), 1, body);
}

void KernelBuilder::tasks(int64_t tile,
                          llvm::function_ref<void(Value, Value)> body) {
  Value end = scalarArgument(3);
  loop(scalarArgument(2), end, tile,
       [&](Value first) { body(first, min(sub(end, first), tile)); });
}

Values KernelBuilder::columns(
    int64_t cols, unsigned width, ValueRange init,
    llvm::function_ref<Values(Value, int64_t, ValueRange)> body) {
  int64_t whole = cols / width * width;
  Values carried(init);
  if (whole)
    carried = loop(
        index(0), index(whole), width, init,
        [&](Value col, ValueRange values) { return body(col, width, values); });
  if (whole != cols)
    carried = body(index(whole), cols - whole, carried);
  return carried;
}

void KernelBuilder::columns(int64_t cols,
                            llvm::function_ref<void(Value, int64_t)> body) {
  columns(cols, lanes(), ValueRange(),
          [&](Value col, int64_t count, ValueRange) {
            body(col, count);
            return Values();
          });
}

//===----------------------------------------------------------------------===//
// Vectors
//===----------------------------------------------------------------------===//

VectorType KernelBuilder::vectorOf(Type element, unsigned width) {
  return VectorType::get({width}, element);
}

Value KernelBuilder::splat(double value, unsigned width) {
  return arith::ConstantOp::create(
      *this, DenseElementsAttr::get(vectorOf(getF32Type(), width),
                                    static_cast<float>(value)));
}
Value KernelBuilder::splat(Value scalar, unsigned width) {
  return vector::BroadcastOp::create(*this, vectorOf(scalar.getType(), width),
                                     scalar);
}
Value KernelBuilder::splatBytes(uint8_t value, unsigned width) {
  return arith::ConstantOp::create(
      *this, DenseElementsAttr::get(vectorOf(getI8Type(), width),
                                    static_cast<int8_t>(value)));
}
Value KernelBuilder::splatInt(int32_t value, unsigned width) {
  return arith::ConstantOp::create(
      *this, DenseElementsAttr::get(vectorOf(getI32Type(), width), value));
}

Value KernelBuilder::load(Value memref, ValueRange at, int64_t count,
                          unsigned width) {
  Type element = cast<MemRefType>(memref.getType()).getElementType();
  Value loaded =
      vector::LoadOp::create(*this, vectorOf(element, count), memref, at);
  if (element.isF16())
    loaded = halfToFloat(loaded);
  return pad(loaded, width);
}

void KernelBuilder::store(Value vector, Value memref, ValueRange at,
                          int64_t count) {
  Value part = slice(vector, 0, count);
  if (cast<MemRefType>(memref.getType()).getElementType().isF16())
    part = floatToHalf(part);
  vector::StoreOp::create(*this, part, memref, at);
}

Value KernelBuilder::loadScalar(Value memref, ValueRange at) {
  return extract(load(memref, at, 1, 1), 0);
}

Value KernelBuilder::fma(Value lhs, Value rhs, Value addend) {
  return vector::FMAOp::create(*this, lhs, rhs, addend);
}

Value KernelBuilder::real(double value) {
  return arith::ConstantOp::create(*this,
                                   getF32FloatAttr(static_cast<float>(value)));
}

Value KernelBuilder::sumsOf(Values vectors) {
  int64_t width = cast<VectorType>(vectors[0].getType()).getNumElements();
  // Adds lanes that differ in one bit: of the first vector of a pair where the
  // bit is clear, of the second where it is set.
  for (int64_t bit = 1; vectors.size() > 1; bit *= 2) {
    SmallVector<int64_t> own(width), other(width);
    for (int64_t lane = 0; lane < width; ++lane) {
      int64_t source = lane & bit ? width : 0;
      own[lane] = source + lane;
      other[lane] = source + (lane ^ bit);
    }
    Values sums;
    for (size_t i = 0; i < vectors.size(); i += 2)
      sums.push_back(arith::AddFOp::create(
          *this,
          vector::ShuffleOp::create(*this, vectors[i], vectors[i + 1], own),
          vector::ShuffleOp::create(*this, vectors[i], vectors[i + 1], other)));
    vectors = std::move(sums);
  }
  return vectors[0];
}

Value KernelBuilder::foldHalves(
    Value vector, llvm::function_ref<Value(Value, Value)> combine) {
  for (int64_t width = cast<VectorType>(vector.getType()).getNumElements() / 2;
       width; width /= 2)
    vector = combine(slice(vector, 0, width), slice(vector, width, width));
  return extract(vector, 0);
}
Value KernelBuilder::sumOf(Value vector) {
  return foldHalves(vector, [&](Value a, Value b) -> Value {
    return arith::AddFOp::create(*this, a, b);
  });
}
Value KernelBuilder::maxOf(Value vector) {
  return foldHalves(vector, [&](Value a, Value b) -> Value {
    return arith::MaxNumFOp::create(*this, a, b);
  });
}

Value KernelBuilder::extract(Value vector, int64_t position) {
  return vector::ExtractOp::create(*this, vector, position);
}
Value KernelBuilder::slice(Value vector, int64_t offset, int64_t count) {
  if (cast<VectorType>(vector.getType()).getNumElements() == count)
    return vector;
  return vector::ExtractStridedSliceOp::create(
      *this, vector, ArrayRef<int64_t>{offset}, ArrayRef<int64_t>{count},
      ArrayRef<int64_t>{1});
}
Value KernelBuilder::pad(Value vector, unsigned width) {
  if (cast<VectorType>(vector.getType()).getNumElements() == width)
    return vector;
  return vector::InsertStridedSliceOp::create(*this, vector, splat(0.0, width),
                                              ArrayRef<int64_t>{0},
                                              ArrayRef<int64_t>{1});
}

Value KernelBuilder::scratch(ArrayRef<int64_t> shape, Type element) {
  OpBuilder::InsertionGuard guard(*this);
  setInsertionPointToStart(&func.front());
  return memref::AllocaOp::create(*this, MemRefType::get(shape, element),
                                  getI64IntegerAttr(PMPD_LINE_BYTES));
}

Value KernelBuilder::view(Value bytes, int64_t offset, ArrayRef<int64_t> shape,
                          Type element) {
  return memref::ViewOp::create(*this, MemRefType::get(shape, element), bytes,
                                index(offset), ValueRange());
}

} // namespace pmpd::codegen
