// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Codegen/gpu/GpuKernels.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace pmpd::codegen {

/// Functions that are instructions of the GPU, as intrinsics of LLVM: the
/// lowering of gpu to NVVM would make calls of a library of them.
static void useInstructions(gpu::GPUFuncOp func) {
  func.walk([](Operation *op) {
    const char *intrinsic = nullptr;
    if (isa<math::AbsFOp>(op))
      intrinsic = "llvm.fabs";
    else if (isa<math::CopySignOp>(op))
      intrinsic = "llvm.copysign";
    else if (isa<math::Exp2Op>(op))
      intrinsic = "llvm.exp2";
    else if (isa<math::SqrtOp>(op))
      intrinsic = "llvm.sqrt";
    else if (isa<arith::MaxNumFOp>(op))
      intrinsic = "llvm.maxnum";
    else if (isa<arith::MaximumFOp>(op))
      intrinsic = "llvm.maximum";
    else
      return;
    OpBuilder builder(op);
    auto call = LLVM::CallIntrinsicOp::create(
        builder, op->getLoc(), op->getResult(0).getType(),
        builder.getStringAttr(intrinsic), op->getOperands());
    op->replaceAllUsesWith(call);
    op->erase();
  });
}

/// Lets the kernel start while those before it end, and the next one likewise.
static void overlapLaunches(gpu::GPUFuncOp func) {
  auto builder = OpBuilder::atBlockBegin(&func.getBody().front());
  auto control = [&](NVVM::GridDepActionKind kind) {
    NVVM::GriddepcontrolOp::create(builder, func.getLoc(), kind);
  };
  bool waits =
      func.walk([](NVVM::GriddepcontrolOp) { return WalkResult::interrupt(); })
          .wasInterrupted();
  control(NVVM::GridDepActionKind::launch_dependents);
  if (!waits)
    control(NVVM::GridDepActionKind::wait);
}

GpuKernels::GpuKernels(ModuleOp around) {
  around.getContext()
      ->loadDialect<arith::ArithDialect, gpu::GPUDialect, LLVM::LLVMDialect,
                    math::MathDialect, NVVM::NVVMDialect, scf::SCFDialect,
                    vector::VectorDialect>();
  module = around.lookupSymbol<gpu::GPUModuleOp>(moduleName);
  if (module)
    return;
  auto builder = OpBuilder::atBlockEnd(around.getBody());
  module = gpu::GPUModuleOp::create(builder, around.getLoc(), moduleName);
  around->setAttr(gpu::GPUDialect::getContainerModuleAttrName(),
                  builder.getUnitAttr());
}

gpu::GPUFuncOp GpuKernels::get(StringRef name, unsigned pointers,
                               int64_t threads, Body body) {
  if (auto existing = module.lookupSymbol<gpu::GPUFuncOp>(name))
    return existing;
  MLIRContext *context = module.getContext();
  auto builder = OpBuilder::atBlockEnd(module.getBody());
  SmallVector<Type> inputs(pointers + 1,
                           LLVM::LLVMPointerType::get(context, /*global*/ 1));
  auto func =
      gpu::GPUFuncOp::create(builder, module.getLoc(), name,
                             FunctionType::get(context, inputs, TypeRange()));
  func->setAttr(gpu::GPUDialect::getKernelFuncAttrName(),
                builder.getUnitAttr());
  func.setKnownBlockSizeAttr(
      builder.getDenseI32ArrayAttr({static_cast<int32_t>(threads), 1, 1}));
  GpuKernelBuilder kernel(func);
  body(kernel);
  gpu::ReturnOp::create(kernel);
  overlapLaunches(func);
  expandFunctions(func);
  useInstructions(func);
  return func;
}

Kernel
GpuKernels::byRows(StringRef name, unsigned pointers,
                   llvm::function_ref<void(GpuKernelBuilder &, Value)> body) {
  return {get(name, pointers, rowThreads,
              [&](GpuKernelBuilder &b) { body(b, b.block()); }),
          /*tasks=*/1, /*rowTile=*/1};
}

} // namespace pmpd::codegen
