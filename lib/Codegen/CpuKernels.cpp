// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Codegen/CpuKernels.h"

#include "mlir/Dialect/AMX/AMXDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace pmpd::codegen {

CpuKernels::CpuKernels(ModuleOp module, Target target)
    : module(module), target(target) {
  module.getContext()
      ->loadDialect<amx::AMXDialect, arith::ArithDialect, func::FuncDialect,
                    LLVM::LLVMDialect, math::MathDialect, memref::MemRefDialect,
                    scf::SCFDialect, vector::VectorDialect>();
}

func::FuncOp CpuKernels::get(StringRef name, ArrayRef<MemRefType> pointers,
                             Body body) {
  if (auto existing = module.lookupSymbol<func::FuncOp>(name))
    return existing;
  MLIRContext *context = module.getContext();
  SmallVector<Type> inputs(pointers);
  inputs.append(4, IndexType::get(context));
  auto builder = OpBuilder::atBlockEnd(module.getBody());
  auto func =
      func::FuncOp::create(builder, module.getLoc(), name,
                           FunctionType::get(context, inputs, TypeRange()));
  func.setPrivate();
  // Two libraries in one program may hold kernels of the same name.
  func->setAttr("llvm.linkage",
                LLVM::LinkageAttr::get(context, LLVM::Linkage::Internal));
  KernelBuilder kernel(func, target);
  body(kernel);
  func::ReturnOp::create(kernel);
  expandFunctions(func);
  return func;
}

MemRefType CpuKernels::f32Rows(int64_t cols) {
  return MemRefType::get({anyRows, cols},
                         Float32Type::get(module.getContext()));
}

MemRefType CpuKernels::bytes(int64_t count) {
  return MemRefType::get({count}, IntegerType::get(module.getContext(), 8));
}

static llvm::Error refuse(const char *text) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), text);
}

llvm::Expected<Kernel> CpuKernels::linearNested(Layout layout,
                                                const NestedLinear &shape) {
  switch (layout) {
  case Layout::S:
    return linearS(shape);
  case Layout::Plain:
    if (shape.activations != Activations::F32)
      return refuse("expected f32 activations for the plain layout; run "
                    "--pmpd-quantize-rows=activations=f32");
    return linearPlain(shape);
  case Layout::Unpacked:
  case Layout::NPU:
  case Layout::GPU:
    break;
  }
  return refuse("expected a weight packed for CPUs; run --pmpd-pack first");
}

} // namespace pmpd::codegen
