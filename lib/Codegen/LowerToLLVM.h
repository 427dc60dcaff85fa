// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_LIB_CODEGEN_LOWERTOLLVM_H
#define PMPD_LIB_CODEGEN_LOWERTOLLVM_H

namespace mlir {
class OpPassManager;
} // namespace mlir

namespace pmpd::codegen {

/// Adds the passes that take a module of kernels, and of func and LLVM ops
/// around them, to the LLVM dialect. A memref argument becomes one pointer, so
/// its shape must be static.
void buildKernelLoweringPipeline(mlir::OpPassManager &pm);

} // namespace pmpd::codegen

#endif // PMPD_LIB_CODEGEN_LOWERTOLLVM_H
