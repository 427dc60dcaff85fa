// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_LIB_CODEGEN_GPU_GPUEPILOGUE_H
#define PMPD_LIB_CODEGEN_GPU_GPUEPILOGUE_H

#include "lib/Codegen/gpu/GpuKernelBuilder.h"

namespace pmpd::codegen {

/// Writes element [row, n] of a linear kernel's output, pointer 2, and adds the
/// bias, pointer 3, where there is one. `weightRows` are the output's columns.
void storeElement(GpuKernelBuilder &b, int64_t weightRows, Type bias, Value row,
                  Value n, Value sum);

} // namespace pmpd::codegen

#endif // PMPD_LIB_CODEGEN_GPU_GPUEPILOGUE_H
