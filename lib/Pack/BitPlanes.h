// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Codes as planes of single bits, most significant first. In all layouts that
// have them column k is bit k % 8 of its byte.
#ifndef PMPD_LIB_PACK_BITPLANES_H
#define PMPD_LIB_PACK_BITPLANES_H

#include "lib/Quant/NestedTensor.h"

namespace pmpd {

/// The codes of a layout, as LayoutFunctions has them. A plane has
/// `planeBytes(rows, cols)` bytes, and the bit of a row and column lies in that
/// at `byteInPlane(whole, row, col)`.
template <auto planeBytes, auto byteInPlane> struct BitPlanes {
  static void pack(const NestedTensor &rows, int64_t first,
                   const NestedShape &whole, uint8_t *bytes) {
    const uint64_t distance = planeBytes(whole.rows, whole.cols);
    const uint8_t *code = rows.codes.data();
    for (int64_t row = first; row < first + rows.shape.rows; ++row)
      for (int64_t col = 0; col < whole.cols; ++col, ++code) {
        uint8_t *byte = bytes + byteInPlane(whole, row, col);
        for (int p = 0; p < whole.bits; ++p)
          byte[p * distance] |= (*code >> (whole.bits - 1 - p) & 1) << col % 8;
      }
  }

  static void read(const NestedShape &whole, int bits, const uint8_t *bytes,
                   std::vector<uint8_t> &codes) {
    const uint64_t distance = planeBytes(whole.rows, whole.cols);
    uint8_t *out = codes.data();
    for (int64_t row = 0; row < whole.rows; ++row)
      for (int64_t col = 0; col < whole.cols; ++col, ++out) {
        const uint8_t *byte = bytes + byteInPlane(whole, row, col);
        *out = 0;
        for (int p = 0; p < bits; ++p)
          *out = static_cast<uint8_t>(*out << 1 |
                                      (byte[p * distance] >> col % 8 & 1));
      }
  }
};

} // namespace pmpd

#endif // PMPD_LIB_PACK_BITPLANES_H
