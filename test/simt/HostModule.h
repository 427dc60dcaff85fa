// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_TEST_SIMT_HOSTMODULE_H
#define PMPD_TEST_SIMT_HOSTMODULE_H

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/Error.h"

namespace pmpd::simt {

/// Compiles a module of kernels in the NVVM and LLVM dialects to an object file
/// of this machine, which defines `simt_kernels` and `simt_kernel_count` (see
/// Executor.h) and calls the executor. Errors: an intrinsic that the executor
/// does not know, a call of a function that is not there.
llvm::Expected<llvm::SmallVector<char, 0>>
compileForHost(mlir::gpu::GPUModuleOp kernels);

} // namespace pmpd::simt

#endif // PMPD_TEST_SIMT_HOSTMODULE_H
