// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Bytes of activation rows quantized to integers per group of columns. Rows
// follow each other at bytesPerQuantizedRow, so a buffer of any capacity is
// addressed the same way. A row of K columns in groups of G is
//
//     bits == 8:   q      int8[K]
//     bits == 16:  high   int8[K]     q = 256 * high + low
//                  low    int8[K]
//     scale        f32[K/G]
//     sum          f32[K/G]           scale * sum of q
//
// and padding to a line. K is a multiple of G, G of 32.
#ifndef PMPD_LIB_CODEGEN_ROWFORMAT_H
#define PMPD_LIB_CODEGEN_ROWFORMAT_H

#include "pmpd/layout.h"

#include <cstdint>

namespace pmpd::codegen {

/// The integer that the largest magnitude of a group becomes. For 16 bits it is
/// 127 * 256 + 127, the largest that two signed bytes make on both sides.
inline int64_t quantizedRowLimit(unsigned bits) {
  return bits == 8 ? 127 : 32639;
}

inline int64_t quantizedRowScaleOffset(int64_t cols, unsigned bits) {
  return cols * bits / 8;
}

inline int64_t quantizedRowSumOffset(int64_t cols, unsigned bits,
                                     int64_t group) {
  return quantizedRowScaleOffset(cols, bits) + cols / group * 4;
}

/// Bytes from one quantized row to the next.
inline int64_t bytesPerQuantizedRow(int64_t cols, unsigned bits,
                                    int64_t group) {
  return pmpd_round_up(quantizedRowSumOffset(cols, bits, group) +
                           cols / group * 4,
                       PMPD_LINE_BYTES);
}

} // namespace pmpd::codegen

#endif // PMPD_LIB_CODEGEN_ROWFORMAT_H
