// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Codes as planes of single bits, most significant first. In all layouts that
// have them column k is bit k % 8 of its byte; `byteInPlane(row, col)` is where
// that lies.
#ifndef PMPD_LIB_PACK_BITPLANES_H
#define PMPD_LIB_PACK_BITPLANES_H

#include "lib/Quant/NestedTensor.h"

namespace pmpd {

/// Ors the codes of `rows`, which are those from row `first` of `whole` on,
/// into planes of `planeBytes` bytes.
template <typename ByteInPlane>
void packPlanes(const NestedTensor &rows, int64_t first,
                const NestedShape &whole, uint64_t planeBytes,
                ByteInPlane byteInPlane, uint8_t *bytes) {
  const uint8_t *code = rows.codes.data();
  for (int64_t row = first; row < first + rows.shape.rows; ++row)
    for (int64_t col = 0; col < whole.cols; ++col, ++code) {
      uint8_t *byte = bytes + byteInPlane(row, col);
      for (int p = 0; p < whole.bits; ++p)
        byte[p * planeBytes] |= (*code >> (whole.bits - 1 - p) & 1) << col % 8;
    }
}

/// Reads the high `bits` bits of every code of `whole`.
template <typename ByteInPlane>
void readPlanes(const NestedShape &whole, int bits, uint64_t planeBytes,
                ByteInPlane byteInPlane, const uint8_t *bytes,
                std::vector<uint8_t> &codes) {
  uint8_t *out = codes.data();
  for (int64_t row = 0; row < whole.rows; ++row)
    for (int64_t col = 0; col < whole.cols; ++col, ++out) {
      const uint8_t *byte = bytes + byteInPlane(row, col);
      *out = 0;
      for (int p = 0; p < bits; ++p)
        *out = static_cast<uint8_t>(*out << 1 |
                                    (byte[p * planeBytes] >> col % 8 & 1));
    }
}

} // namespace pmpd

#endif // PMPD_LIB_PACK_BITPLANES_H
