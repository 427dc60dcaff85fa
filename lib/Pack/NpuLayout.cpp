// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Pack/BitPlanes.h"
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
  auto at = [&](int64_t row, int64_t col) {
    return byteInPlane(whole, row, col);
  };
  packPlanes(rows, first, whole, pmpd_npu_plane_bytes(whole.rows, whole.cols),
             at, bytes);
}

static void readCodes(const NestedShape &whole, int bits, const uint8_t *bytes,
                      std::vector<uint8_t> &codes) {
  auto at = [&](int64_t row, int64_t col) {
    return byteInPlane(whole, row, col);
  };
  readPlanes(whole, bits, pmpd_npu_plane_bytes(whole.rows, whole.cols), at,
             bytes, codes);
}

const LayoutFunctions pmpd::NpuLayout = {
    npuBytes, packCodes, readCodes, scaleOffset, /*minDistance=*/2 * Block};
