// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_LIB_CODEGEN_GPU_LOWERTONVVM_H
#define PMPD_LIB_CODEGEN_GPU_LOWERTONVVM_H

#include "mlir/Pass/PassManager.h"

namespace pmpd::codegen {

/// From the kernels of GpuKernels to the LLVM and NVVM dialects, inside of
/// every gpu.module.
void buildGpuLoweringPipeline(mlir::OpPassManager &pm);

} // namespace pmpd::codegen

#endif // PMPD_LIB_CODEGEN_GPU_LOWERTONVVM_H
