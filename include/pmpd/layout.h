/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/*
 * Packed bytes of a nested weight: what lib/Pack writes, what generated
 * kernels read and what any other reader of a weight file must follow.
 *
 * A nested weight of N rows and K columns has one B-bit code per element
 * (B = parent bits, at most 4). Its b-bit value is
 *     w[n, k] = scale_b[n, k/G] * (code[n, k] >> (B - b)) + min_b[n, k/G]
 * with one fp16 (scale, min) pair per row and group of G columns for every
 * prefix b it can be read at.
 *
 * Layout S ("sliced"): rows are padded to panels of 16, columns come in tiles
 * of 32, and a (panel, tile) is one 64-byte line in each of B equal regions:
 *     line(j, p, t) = base + j * region_bytes + (p * K/32 + t) * 64
 * Inside a line, byte 4*(n % 16) + i holds the columns with k % 4 == i. With
 * k % 32 = 16*v + 4*f + i:
 *     region 0   v = 0: bits 2f+1 : 2f  are the two high bits of the code
 *     region 1   v = 1: the same
 *     region 2   third bit of the code, at PMPD_S_THIRD_BIT(v, f)
 *     region 3   fourth bit of the code, at PMPD_S_FOURTH_BIT(v, f)
 * A b-bit read touches regions 0..b-1 and the parameters of b, nothing else.
 * After the regions, per prefix in ascending order:
 *     params(b, p, g) = 64-byte line: 16 fp16 scales, then 16 fp16 mins
 *
 * Layout NPU is in npu_layout.h, layout GPU in gpu_layout.h.
 *
 * Layout plain: the readable reference. Codes as bytes [N][K], then per prefix
 * in ascending order fp16 pairs (scale, min) as [N][K/G][2].
 */
#ifndef PMPD_LAYOUT_H
#define PMPD_LAYOUT_H

#include <stdint.h>

enum {
  PMPD_PANEL_ROWS = 16,
  PMPD_TILE_COLS = 32,
  PMPD_LINE_BYTES = 64,
  PMPD_MIN_BITS = 2,
  PMPD_MAX_BITS = 4
};

/* How the bytes of a section of the weight file are laid out. */
typedef enum pmpd_layout {
  PMPD_LAYOUT_DENSE = 0, /* row-major elements of pmpd_element */
  PMPD_LAYOUT_PLAIN = 1, /* nested, one code per byte */
  PMPD_LAYOUT_S = 2,     /* nested, bit-sliced lines */
  PMPD_LAYOUT_NPU = 3,   /* nested, as npu_layout.h has it */
  PMPD_LAYOUT_GPU = 4    /* nested, as gpu_layout.h has it */
} pmpd_layout;

typedef enum pmpd_element {
  PMPD_F32 = 0,
  PMPD_F16 = 1,
  PMPD_NESTED = 2
} pmpd_element;

/* Bit of the line byte that holds the third / fourth code bit of (v, f).
 * Chosen so that one byte-wise select after a shift of at most 2 rebuilds two
 * nibbles per byte. */
#define PMPD_S_THIRD_BIT(v, f) (((((f)&1) ? 1 : 3) + (((f)&2) << 1)) ^ (v))
#define PMPD_S_FOURTH_BIT(v, f) (PMPD_S_THIRD_BIT(v, f) ^ 1)

static inline uint64_t pmpd_round_up(uint64_t value, uint64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

/* Large regions start on a page, so that the planes a low precision never
 * reads need not be resident; small ones on a line. */
static inline uint64_t pmpd_s_align(uint64_t bytes) {
  return pmpd_round_up(bytes, bytes >= 65536 ? 4096 : PMPD_LINE_BYTES);
}

/* Bytes from one region of layout S to the next. */
static inline uint64_t pmpd_s_region_bytes(uint64_t rows, uint64_t cols) {
  return pmpd_s_align(pmpd_round_up(rows, PMPD_PANEL_ROWS) * cols / 8);
}

/* Bytes from the parameters of one prefix to those of the next. */
static inline uint64_t pmpd_s_params_bytes(uint64_t rows, uint64_t cols,
                                           uint64_t group) {
  return pmpd_s_align(pmpd_round_up(rows, PMPD_PANEL_ROWS) / PMPD_PANEL_ROWS *
                      (cols / group) * PMPD_LINE_BYTES);
}

/* Offset of region j from the start of the tensor. */
static inline uint64_t pmpd_s_region_offset(uint64_t rows, uint64_t cols,
                                            unsigned region) {
  return region * pmpd_s_region_bytes(rows, cols);
}

/* Offset of the parameters of the prefix at `index` in the ascending list. */
static inline uint64_t pmpd_s_params_offset(uint64_t rows, uint64_t cols,
                                            uint64_t group, unsigned bits,
                                            unsigned index) {
  return bits * pmpd_s_region_bytes(rows, cols) +
         index * pmpd_s_params_bytes(rows, cols, group);
}

static inline uint64_t pmpd_s_tensor_bytes(uint64_t rows, uint64_t cols,
                                           uint64_t group, unsigned bits,
                                           unsigned prefixes) {
  return pmpd_s_params_offset(rows, cols, group, bits, prefixes);
}

static inline uint64_t pmpd_plain_params_offset(uint64_t rows, uint64_t cols,
                                                uint64_t group,
                                                unsigned index) {
  return pmpd_round_up(rows * cols, PMPD_LINE_BYTES) +
         index * pmpd_round_up(rows * (cols / group) * 4, PMPD_LINE_BYTES);
}

static inline uint64_t pmpd_plain_tensor_bytes(uint64_t rows, uint64_t cols,
                                               uint64_t group,
                                               unsigned prefixes) {
  return pmpd_plain_params_offset(rows, cols, group, prefixes);
}

#endif /* PMPD_LAYOUT_H */
