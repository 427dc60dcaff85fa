// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Bytes of activation rows quantized to 16 bits per group of columns, as the
// integer tensor cores of a GPU take them. Rows follow each other at
// bytesPerGpuRow. K columns are padded to tiles of 256 with zeros, Kp of them:
//
//     high    int8[Kp]    q = 256 * high + low
//     low     int8[Kp]
//     params  f32[Kp / 128][2]   scale of the group that the 128 columns are
//                                of, scale * sum of their q
//
// Both parts hold each 32 columns transposed: byte 4 * j + i is that of column
// 8 * i + j, so that 4 contiguous bytes meet the 4 codes that the bits j,
// 8 + j, 16 + j and 24 + j of a word of planes make (pmpd/gpu_layout.h).
#ifndef PMPD_LIB_CODEGEN_GPU_GPUROWFORMAT_H
#define PMPD_LIB_CODEGEN_GPU_GPUROWFORMAT_H

#include "pmpd/gpu_layout.h"

#include <cstdint>

namespace pmpd::codegen {

inline int64_t gpuRowPartBytes(int64_t cols) {
  return pmpd_gpu_col_tiles(cols) * PMPD_GPU_TILE_COLS;
}

inline int64_t gpuRowParamsOffset(int64_t cols) {
  return 2 * gpuRowPartBytes(cols);
}

/// Bytes from one quantized row to the next.
inline int64_t bytesPerGpuRow(int64_t cols) {
  return gpuRowParamsOffset(cols) +
         gpuRowPartBytes(cols) / PMPD_GPU_GROUP_COLS * 8;
}

} // namespace pmpd::codegen

#endif // PMPD_LIB_CODEGEN_GPU_GPUROWFORMAT_H
