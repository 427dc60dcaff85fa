// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_LIB_CODEGEN_GPU_CODES_H
#define PMPD_LIB_CODEGEN_GPU_CODES_H

#include "lib/Codegen/gpu/GpuKernelBuilder.h"

namespace pmpd::codegen {

/// The codes of 32 columns. `planes` are the i32 words of their 2 to 4 planes,
/// most significant first; byte i of result j is the code of column 8 * i + j.
Values unpackCodes(GpuKernelBuilder &b, ValueRange planes);

} // namespace pmpd::codegen

#endif // PMPD_LIB_CODEGEN_GPU_CODES_H
