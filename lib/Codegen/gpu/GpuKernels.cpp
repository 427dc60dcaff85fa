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
  expandFunctions(func);
  return func;
}

Kernel GpuKernels::byRows(
    StringRef name, unsigned pointers,
    llvm::function_ref<void(GpuKernelBuilder &, Value)> body) {
  return {get(name, pointers, rowThreads,
              [&](GpuKernelBuilder &b) { body(b, b.block()); }),
          /*tasks=*/1, /*rowTile=*/1};
}

} // namespace pmpd::codegen
