// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_LIB_CODEGEN_GPU_LINEARTILE_H
#define PMPD_LIB_CODEGEN_GPU_LINEARTILE_H

#include "lib/Codegen/gpu/WeightTiles.h"

namespace pmpd::codegen {

/// Activation rows that meet in one MMA: its 8 columns are the high and the low
/// bytes of 4 rows.
constexpr int64_t rowsPerMma = 4;

/// What a lane reads of 128 columns of 4 activation rows: its part of the
/// operands (GpuRowFormat.h), and the parameters of row lane % 4 of them.
struct ActivationWords {
  Values bytes; /// [8] of i32: 32 bytes of part lane / 4 % 2 of row lane / 8.
  Value scale, sum;
};

/// Sums of a warp: 16 rows of the weight times `tokens` activation rows, a
/// multiple of 4. Lane 4 * g + t has element [4 * i + t] of rows g and g + 8 at
/// 2 * i and 2 * i + 1.
Values zeroSums(GpuKernelBuilder &b, int64_t tokens);

/// Adds the products of 128 columns to `sums`: `half` of the words times the
/// activations that `activations` reads for each 4 rows.
Values addProducts(GpuKernelBuilder &b, const WeightWords &words, unsigned half,
                   ValueRange sums,
                   llvm::function_ref<ActivationWords(int64_t)> activations);

} // namespace pmpd::codegen

#endif // PMPD_LIB_CODEGEN_GPU_LINEARTILE_H
