// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Pack/Layouts.h"

#include <algorithm>

using namespace pmpd;

static constexpr int Panel = PMPD_PANEL_ROWS, Tile = PMPD_TILE_COLS;

static uint64_t slicedBytes(const NestedShape &whole) {
  return pmpd_s_tensor_bytes(whole.rows, whole.cols, whole.group,
                             static_cast<unsigned>(whole.bits),
                             static_cast<unsigned>(whole.prefixes.size()));
}

/// Offset of the four bytes of a row in the line of a tile in region 0.
static uint64_t rowInLine(const NestedShape &whole, int64_t row, int64_t tile) {
  int64_t line = row / Panel * (whole.cols / Tile) + tile;
  return line * PMPD_LINE_BYTES + row % Panel * 4;
}

static uint64_t scaleOffset(const NestedShape &whole, int prefix, int64_t row,
                            int64_t group) {
  int64_t line = row / Panel * whole.groups() + group;
  return pmpd_s_params_offset(whole.rows, whole.cols, whole.group,
                              static_cast<unsigned>(whole.bits),
                              static_cast<unsigned>(prefix)) +
         line * PMPD_LINE_BYTES + row % Panel * 2;
}

/// Ors the codes of one row of a tile into the regions. What is padded stays
/// zero.
static void packTile(const uint8_t *codes, int bits, uint64_t regionBytes,
                     uint8_t *bytes) {
  for (int k = 0; k < Tile; ++k) {
    int v = k / 16, f = k / 4 % 4;
    uint8_t *byte = bytes + k % 4;
    byte[v * regionBytes] |= codes[k] >> (bits - 2) << (2 * f);
    if (bits > 2)
      byte[2 * regionBytes] |= (codes[k] >> (bits - 3) & 1)
                               << PMPD_S_THIRD_BIT(v, f);
    if (bits > 3)
      byte[3 * regionBytes] |= (codes[k] >> (bits - 4) & 1)
                               << PMPD_S_FOURTH_BIT(v, f);
  }
}

/// Reads the high `bits` bits of the codes of one row of a tile.
static void readTile(const uint8_t *bytes, int bits, uint64_t regionBytes,
                     uint8_t *codes) {
  for (int k = 0; k < Tile; ++k) {
    int v = k / 16, f = k / 4 % 4;
    const uint8_t *byte = bytes + k % 4;
    int code = byte[v * regionBytes] >> (2 * f) & 3;
    if (bits > 2)
      code = code << 1 | (byte[2 * regionBytes] >> PMPD_S_THIRD_BIT(v, f) & 1);
    if (bits > 3)
      code = code << 1 | (byte[3 * regionBytes] >> PMPD_S_FOURTH_BIT(v, f) & 1);
    codes[k] = static_cast<uint8_t>(code);
  }
}

static void packCodes(const NestedTensor &rows, int64_t first,
                      const NestedShape &whole, uint8_t *bytes) {
  uint64_t regionBytes = pmpd_s_region_bytes(whole.rows, whole.cols);
  const uint8_t *codes = rows.codes.data();
  for (int64_t row = first; row < first + rows.shape.rows; ++row)
    for (int64_t tile = 0; tile < whole.cols / Tile; ++tile, codes += Tile)
      packTile(codes, whole.bits, regionBytes,
               bytes + rowInLine(whole, row, tile));
}

static void readCodes(const NestedShape &whole, int bits, const uint8_t *bytes,
                      std::vector<uint8_t> &codes) {
  uint64_t regionBytes = pmpd_s_region_bytes(whole.rows, whole.cols);
  uint8_t *out = codes.data();
  for (int64_t row = 0; row < whole.rows; ++row)
    for (int64_t tile = 0; tile < whole.cols / Tile; ++tile, out += Tile)
      readTile(bytes + rowInLine(whole, row, tile), bits, regionBytes, out);
}

const LayoutFunctions pmpd::SlicedLayout = {
    slicedBytes, packCodes, readCodes, scaleOffset, /*minDistance=*/2 * Panel};
