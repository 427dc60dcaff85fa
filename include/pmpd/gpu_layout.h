/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/*
 * Bytes of weights as kernels of the GPU read them. A warp reads 16 rows and
 * 256 columns of a plane as 512 contiguous bytes, 16 of each lane, and what a
 * lane has read is its part of the first operand of an m16n8k32 integer MMA.
 *
 * Nested weight, N rows padded to tiles of 16 and K columns padded to tiles of
 * 256 with zeros. Lane l = 4 * g + t, g = 0..7, t = 0..3:
 *   planes      [plane, most significant first][N/16][K/256][lane] of 4 uint32
 *               bit j of word 2 * h + r of lane l in tile (n, k) is the bit of
 *               row 16 * n + 8 * r + g, column 256 * k + 128 * h + 32 * t + j
 *   parameters  per prefix in ascending order, [N/16][K/G/2][8][2][2] of fp16
 *               (scale, min): element [n][p][g][h][r] is that of
 *               row 16 * n + 8 * r + g, group 2 * p + h; groups are padded to
 *               an even number with zeros
 * G is a multiple of 128. A b-bit read touches planes 0..b-1 and the parameters
 * of b, nothing else.
 */
#ifndef PMPD_GPU_LAYOUT_H
#define PMPD_GPU_LAYOUT_H

#include "pmpd/layout.h"

enum {
  PMPD_GPU_TILE_ROWS = 16,
  PMPD_GPU_TILE_COLS = 256,
  PMPD_GPU_GROUP_COLS = 128, /* groups are multiples of it */
  PMPD_GPU_TILE_BYTES = 512, /* of one plane of a tile */
  PMPD_GPU_PAIR_BYTES = 128  /* parameters of a row tile and two groups */
};

static inline uint64_t pmpd_gpu_row_tiles(uint64_t rows) {
  return pmpd_round_up(rows, PMPD_GPU_TILE_ROWS) / PMPD_GPU_TILE_ROWS;
}

static inline uint64_t pmpd_gpu_col_tiles(uint64_t cols) {
  return pmpd_round_up(cols, PMPD_GPU_TILE_COLS) / PMPD_GPU_TILE_COLS;
}

/* Bytes from one plane to the next. */
static inline uint64_t pmpd_gpu_plane_bytes(uint64_t rows, uint64_t cols) {
  return pmpd_gpu_row_tiles(rows) * pmpd_gpu_col_tiles(cols) *
         PMPD_GPU_TILE_BYTES;
}

/* Pairs of groups in a row tile. */
static inline uint64_t pmpd_gpu_group_pairs(uint64_t cols, uint64_t group) {
  return (cols / group + 1) / 2;
}

/* Bytes from the parameters of one prefix to those of the next. */
static inline uint64_t pmpd_gpu_params_bytes(uint64_t rows, uint64_t cols,
                                             uint64_t group) {
  return pmpd_gpu_row_tiles(rows) * pmpd_gpu_group_pairs(cols, group) *
         PMPD_GPU_PAIR_BYTES;
}

/* Offset of the parameters of the prefix at `index` in the ascending list. */
static inline uint64_t pmpd_gpu_params_offset(uint64_t rows, uint64_t cols,
                                              uint64_t group, unsigned bits,
                                              unsigned index) {
  return bits * pmpd_gpu_plane_bytes(rows, cols) +
         index * pmpd_gpu_params_bytes(rows, cols, group);
}

static inline uint64_t pmpd_gpu_tensor_bytes(uint64_t rows, uint64_t cols,
                                             uint64_t group, unsigned bits,
                                             unsigned prefixes) {
  return pmpd_gpu_params_offset(rows, cols, group, bits, prefixes);
}

#endif /* PMPD_GPU_LAYOUT_H */
