// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Quant/Multiply.h"
#include "lib/Quant/Lanes.h"

#include <algorithm>

using namespace pmpd;

/// Rows of a that are copied to lie side by side, if they do not.
static constexpr int64_t BlockRows = 64;

/// Columns of `from`, Lanes at a time; those beyond the last are zero.
static std::vector<LaneMatrix> packLanes(MatrixView from, int64_t depth,
                                         int64_t cols) {
  std::vector<LaneMatrix> panels;
  for (int64_t first = 0; first < cols; first += Lanes) {
    LaneMatrix &panel = panels.emplace_back(depth);
    int64_t count = std::min<int64_t>(Lanes, cols - first);
    const float *data = from.from(0, first).data;
    if (from.colStride == 1)
      for (int64_t k = 0; k < depth; ++k)
        std::copy_n(data + k * from.rowStride, count, panel[k].lane.data());
    else
      for (int64_t lane = 0; lane < count; ++lane)
        for (int64_t k = 0; k < depth; ++k)
          panel[k][lane] = data[k * from.rowStride + lane * from.colStride];
  }
  return panels;
}

static void packRows(MatrixView from, int64_t rows, int64_t depth,
                     std::vector<float> &to) {
  constexpr int64_t Tile = 16; // Both sides of it stay in the cache.
  for (int64_t first = 0; first < depth; first += Tile)
    for (int64_t i = 0; i < rows; ++i)
      for (int64_t k = first; k < std::min(first + Tile, depth); ++k)
        to[i * depth + k] = from.data[i * from.rowStride + k * from.colStride];
}

void pmpd::multiply(MatrixView a, MatrixView b, int64_t rows, int64_t depth,
                    int64_t cols, float *out, int64_t stride) {
  std::vector<LaneMatrix> panels = packLanes(b, depth, cols);
  LaneMatrix sums(BlockRows);
  std::vector<float> packed(a.colStride == 1 ? 0 : BlockRows * depth);
  for (int64_t row = 0; row < rows; row += BlockRows) {
    int64_t count = std::min(BlockRows, rows - row);
    MatrixView block = a.from(row, 0);
    if (!packed.empty()) {
      packRows(block, count, depth, packed);
      block = {packed.data(), depth, 1};
    }
    for (size_t p = 0; p < panels.size(); ++p) {
      int64_t first = static_cast<int64_t>(p) * Lanes;
      std::fill_n(sums.begin(), count, LaneRow());
      multiplyAdd(block.data, block.rowStride, count, depth, panels[p].data(),
                  sums.data());
      for (int64_t i = 0; i < count; ++i)
        std::copy_n(sums[i].lane.data(), std::min<int64_t>(Lanes, cols - first),
                    out + (row + i) * stride + first);
    }
  }
}
