// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Pack/BitPlanes.h"
#include "lib/Pack/Layouts.h"
#include "pmpd/gpu_layout.h"

using namespace pmpd;

static constexpr int TileRows = PMPD_GPU_TILE_ROWS,
                     TileCols = PMPD_GPU_TILE_COLS;

static uint64_t gpuBytes(const NestedShape &whole) {
  return pmpd_gpu_tensor_bytes(whole.rows, whole.cols, whole.group,
                               static_cast<unsigned>(whole.bits),
                               static_cast<unsigned>(whole.prefixes.size()));
}

/// Offset in a plane of the byte that holds the bit of a row and column.
static uint64_t byteInPlane(const NestedShape &whole, int64_t row,
                            int64_t col) {
  uint64_t tile =
      row / TileRows * pmpd_gpu_col_tiles(whole.cols) + col / TileCols;
  int64_t lane = row % 8 * 4 + col % 128 / 32;
  int64_t word = col % TileCols / 128 * 2 + row % TileRows / 8;
  return tile * PMPD_GPU_TILE_BYTES + lane * 16 + word * 4 + col % 32 / 8;
}

static uint64_t scaleOffset(const NestedShape &whole, int prefix, int64_t row,
                            int64_t group) {
  uint64_t pair =
      row / TileRows * pmpd_gpu_group_pairs(whole.cols, whole.group) +
      group / 2;
  return pmpd_gpu_params_offset(whole.rows, whole.cols, whole.group,
                                static_cast<unsigned>(whole.bits),
                                static_cast<unsigned>(prefix)) +
         pair * PMPD_GPU_PAIR_BYTES + row % 8 * 16 + group % 2 * 8 +
         row % TileRows / 8 * 4;
}

using Planes = BitPlanes<pmpd_gpu_plane_bytes, byteInPlane>;

const LayoutFunctions pmpd::GpuLayout = {gpuBytes, Planes::pack, Planes::read,
                                         scaleOffset, /*minDistance=*/2};
