// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Pack/Layouts.h"
#include "pmpd/npu_layout.h"

using namespace pmpd;

static constexpr int Block = PMPD_NPU_ROW_BLOCK, Word = PMPD_NPU_WORD_COLS;

static uint64_t npuBytes(const NestedShape &whole) {
  return pmpd_npu_tensor_bytes(whole.rows, whole.cols, whole.group,
                               static_cast<unsigned>(whole.bits),
                               static_cast<unsigned>(whole.prefixes.size()));
}

/// Offset in a plane of the byte that holds the bit of a row and column.
static uint64_t byteInPlane(const NestedShape &whole, int64_t row,
                            int64_t col) {
  int64_t word =
      (row / Block * (whole.cols / Word) + col / Word) * Block + row % Block;
  return word * 4 + col % Word / 8;
}

static uint64_t scaleOffset(const NestedShape &whole, int prefix, int64_t row,
                            int64_t group) {
  uint64_t table = pmpd_npu_metadata_bytes(whole.rows, whole.cols, whole.group,
                                           PMPD_NPU_F_AFFINE,
                                           static_cast<unsigned>(whole.bits));
  int64_t pair = row / Block * whole.groups() + group;
  return pmpd_npu_planes_bytes(whole.rows, whole.cols,
                               static_cast<unsigned>(whole.bits)) +
         prefix * table + (pair * 2 * Block + row % Block) * 2;
}

static void packCodes(const NestedTensor &rows, int64_t first,
                      const NestedShape &whole, uint8_t *bytes) {
  uint64_t plane = pmpd_npu_plane_bytes(whole.rows, whole.cols);
  const uint8_t *code = rows.codes.data();
  for (int64_t row = first; row < first + rows.shape.rows; ++row)
    for (int64_t col = 0; col < whole.cols; ++col, ++code) {
      uint8_t *byte = bytes + byteInPlane(whole, row, col);
      for (int p = 0; p < whole.bits; ++p)
        byte[p * plane] |= (*code >> (whole.bits - 1 - p) & 1) << col % 8;
    }
}

static void readCodes(const NestedShape &whole, int bits, const uint8_t *bytes,
                      std::vector<uint8_t> &codes) {
  uint64_t plane = pmpd_npu_plane_bytes(whole.rows, whole.cols);
  uint8_t *out = codes.data();
  for (int64_t row = 0; row < whole.rows; ++row)
    for (int64_t col = 0; col < whole.cols; ++col, ++out) {
      const uint8_t *byte = bytes + byteInPlane(whole, row, col);
      *out = 0;
      for (int p = 0; p < bits; ++p)
        *out =
            static_cast<uint8_t>(*out << 1 | (byte[p * plane] >> col % 8 & 1));
    }
}

const LayoutFunctions pmpd::NpuLayout = {npuBytes, packCodes, readCodes, scaleOffset, /*minDistance=*/2 * Block};
