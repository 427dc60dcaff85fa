// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/pmpd-gpu-check/NestedWeight.h"

#include "lib/Quant/Half.h"
#include "runtime/SplitMix.h"

#include <cstring>

using namespace pmpd;
using namespace pmpd::tools;

static constexpr unsigned kParentBits = PMPD_MAX_BITS;
static constexpr unsigned kPrefixes = PMPD_MAX_BITS - PMPD_MIN_BITS + 1;

uint64_t NestedWeight::bytes() const {
  return pmpd_gpu_tensor_bytes(rows, cols, group, kParentBits, kPrefixes);
}

uint64_t NestedWeight::bytesRead(int bits) const {
  return bits * pmpd_gpu_plane_bytes(rows, cols) +
         pmpd_gpu_params_bytes(rows, cols, group);
}

std::vector<uint8_t> NestedWeight::random(uint64_t seed) const {
  std::vector<uint8_t> packed(bytes());
  uint64_t params = pmpd_gpu_params_offset(rows, cols, group, kParentBits, 0);
  fillRandom(packed.data(), params, seed);
  fillRandomHalves(packed.data() + params, packed.size() - params, seed + 1);
  return packed;
}

std::vector<double> NestedWeight::row(const std::vector<uint8_t> &packed,
                                      int64_t n, int bits) const {
  const int64_t g = n % 8, r = n / 8 % 2, tileRow = n / 16;
  auto codeBit = [&](unsigned plane, int64_t k) {
    int64_t h = k / 128 % 2, t = k / 32 % 4, lane = 4 * g + t;
    uint64_t tile = tileRow * pmpd_gpu_col_tiles(cols) + k / PMPD_GPU_TILE_COLS;
    uint64_t at = plane * pmpd_gpu_plane_bytes(rows, cols) +
                  tile * PMPD_GPU_TILE_BYTES + lane * 16 + (2 * h + r) * 4;
    uint32_t word;
    std::memcpy(&word, packed.data() + at, 4);
    return word >> (k % 32) & 1;
  };
  const uint64_t params = pmpd_gpu_params_offset(rows, cols, group, kParentBits,
                                                 bits - PMPD_MIN_BITS);
  std::vector<double> values(cols);
  for (int64_t k = 0; k < cols; ++k) {
    int code = 0;
    for (int plane = 0; plane < bits; ++plane)
      code = 2 * code + int(codeBit(plane, k));
    int64_t pair = k / group / 2, h = k / group % 2;
    uint64_t element =
        ((tileRow * pmpd_gpu_group_pairs(cols, group) + pair) * 8 + g) * 4 +
        h * 2 + r;
    uint16_t halves[2];
    std::memcpy(halves, packed.data() + params + 4 * element, 4);
    values[k] = double(halfToFloat(halves[0])) * code + halfToFloat(halves[1]);
  }
  return values;
}

void pmpd::tools::fillRandom(void *to, uint64_t bytes, uint64_t seed) {
  auto *out = static_cast<uint8_t *>(to);
  uint64_t state = seed;
  for (uint64_t at = 0; at < bytes; at += 8) {
    uint64_t word = rt::splitMix(state);
    std::memcpy(out + at, &word, bytes - at < 8 ? bytes - at : 8);
  }
}

void pmpd::tools::fillRandomHalves(void *to, uint64_t bytes, uint64_t seed) {
  auto *out = static_cast<uint8_t *>(to);
  fillRandom(to, bytes, seed);
  for (uint64_t at = 0; at + 2 <= bytes; at += 2) {
    uint16_t half;
    std::memcpy(&half, out + at, 2);
    // Sign and mantissa stay; the exponent becomes one of 2^-10 .. 2^-4.
    half = uint16_t((half & 0x83FF) | (5 + (half >> 10 & 31) % 7) << 10);
    std::memcpy(out + at, &half, 2);
  }
}
