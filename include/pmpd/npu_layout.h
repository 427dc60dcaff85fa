/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/*
 * Bytes of weights and of the KV cache as the NPU reads them. The same order
 * holds in DRAM and in the scratchpad, so that a transfer is at most one run
 * of bytes per plane.
 *
 * Nested weight, N rows (padded to blocks of 64 rows with zeros), K columns:
 *   planes    [plane, most significant first][N/64][K/32] of 64 uint32; bit j
 *             of word r is the plane's bit of row r, column 32 * index + j
 *   metadata  [N/64][K/G] of [1 | 2 | 2^b][64] fp16: the scales (plain), the
 *             scales then the minimums (affine), or h_0 .. h_{2^b-1} (codebook)
 * In the weight file every plane starts pmpd_npu_plane_bytes after the last
 * and each readable prefix has its own metadata after all planes, prefixes
 * ascending. A tile is some blocks of all columns, or one block of the columns
 * of some groups: len0 = its bytes of one plane, cnt1 = b,
 * dstride64 = pmpd_npu_plane_bytes / 64. In the scratchpad the planes of a
 * tile follow each other without gaps.
 *
 * fp16 weight: [N/64][K][64] fp16, rows padded with zeros.
 *
 * KV tile in the scratchpad, 64 tokens of one head, as ATT reads it:
 *   K elements [64][hd], V elements [64][hd], and for I8 and I4
 *   K scales fp16 [64], V scales fp16 [64].
 * KV cache in DRAM: F16 as kernel.h has it,
 * [layer][K, V][kv head][context][hd], so that a tile is two runs of bytes;
 * I8 and I4 as [layer][kv head] of whole tiles. There is room for whole tiles
 * in any case.
 */
#ifndef PMPD_NPU_LAYOUT_H
#define PMPD_NPU_LAYOUT_H

#include "pmpd/layout.h"
#include "pmpd/npu.h"

/* Bytes of one plane of a tile or tensor of N rows and K columns. */
static inline uint64_t pmpd_npu_plane_bytes(uint64_t n, uint64_t k) {
  return pmpd_round_up(n, PMPD_NPU_ROW_BLOCK) * k / 8;
}

/* Bytes of the b planes of a tile. */
static inline uint64_t pmpd_npu_planes_bytes(uint64_t n, uint64_t k,
                                             unsigned bits) {
  return bits * pmpd_npu_plane_bytes(n, k);
}

/* fp16 numbers per row and group; `flags` of BPMV. */
static inline unsigned pmpd_npu_metadata_values(unsigned flags, unsigned bits) {
  return flags & PMPD_NPU_F_LUT ? 1u << bits
                                : (flags & PMPD_NPU_F_AFFINE ? 2 : 1);
}

/* Bytes of the metadata of one prefix. */
static inline uint64_t pmpd_npu_metadata_bytes(uint64_t n, uint64_t k,
                                               uint64_t group, unsigned flags,
                                               unsigned bits) {
  return pmpd_round_up(n, PMPD_NPU_ROW_BLOCK) * (k / group) * 2 *
         pmpd_npu_metadata_values(flags, bits);
}

/* Bytes of a nested affine weight in the weight file. */
static inline uint64_t pmpd_npu_tensor_bytes(uint64_t n, uint64_t k,
                                             uint64_t group, unsigned bits,
                                             unsigned prefixes) {
  return pmpd_npu_planes_bytes(n, k, bits) +
         prefixes *
             pmpd_npu_metadata_bytes(n, k, group, PMPD_NPU_F_AFFINE, bits);
}

/* Bytes of an fp16 weight. */
static inline uint64_t pmpd_npu_half_bytes(uint64_t n, uint64_t k) {
  return pmpd_round_up(n, PMPD_NPU_ROW_BLOCK) * k * 2;
}

/* Bits of one element of K or V. */
static inline unsigned pmpd_npu_kv_bits(unsigned format) {
  return format == PMPD_NPU_KV_F16 ? 16 : (format == PMPD_NPU_KV_I8 ? 8 : 4);
}

/* Bytes of one token's K or V of one head. */
static inline uint64_t pmpd_npu_kv_token_bytes(unsigned format, uint64_t hd) {
  return hd * pmpd_npu_kv_bits(format) / 8;
}

/* Offset of V, or of the K scales, from the start of a tile: index 1 or 2. */
static inline uint64_t pmpd_npu_kv_part_offset(unsigned format, uint64_t hd,
                                               unsigned index) {
  return index * PMPD_NPU_ATT_TOKENS * pmpd_npu_kv_token_bytes(format, hd);
}

/* Bytes from one tile to the next. */
static inline uint64_t pmpd_npu_kv_tile_bytes(unsigned format, uint64_t hd) {
  return pmpd_npu_kv_part_offset(format, hd, 2) +
         (format == PMPD_NPU_KV_F16 ? 0 : 4 * PMPD_NPU_ATT_TOKENS);
}

#endif /* PMPD_NPU_LAYOUT_H */
