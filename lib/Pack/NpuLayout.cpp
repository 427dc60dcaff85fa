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

using Planes = BitPlanes<pmpd_npu_plane_bytes, byteInPlane>;

const LayoutFunctions pmpd::NpuLayout = {npuBytes, Planes::pack, Planes::read,
                                         scaleOffset,
                                         /*minDistance=*/2 * Block};
