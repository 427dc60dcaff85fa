// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "pmpd/npu_layout.h"
#include "runtime/targets/npu/Execute.h"
#include "runtime/targets/npu/Float.h"

#include <algorithm>
#include <cmath>

using namespace pmpd::npu;

namespace {

constexpr unsigned tileTokens = PMPD_NPU_ATT_TOKENS;

/// One KV tile as f32, keys transposed so that tokens are lanes.
struct Tile {
  std::vector<float> keys;   // [hd][64]
  std::vector<float> values; // [64][hd]
  float keyScale[tileTokens], valueScale[tileTokens];
  bool scaled = false;
};

float element(const uint8_t *bytes, unsigned format, unsigned index) {
  if (format == PMPD_NPU_KV_F16) {
    uint16_t half;
    std::memcpy(&half, bytes + 2 * index, 2);
    return halfToFloat(half);
  }
  if (format == PMPD_NPU_KV_I8)
    return static_cast<int8_t>(bytes[index]);
  unsigned nibble = bytes[index / 2] >> (index % 2 * 4) & 15;
  return static_cast<float>(static_cast<int>(nibble ^ 8) - 8);
}

void readTile(const uint8_t *bytes, unsigned format, unsigned hd,
              unsigned tokens, Tile &tile) {
  tile.keys.assign(hd * tileTokens, 0.0f);
  tile.values.resize(hd * tileTokens);
  tile.scaled = format != PMPD_NPU_KV_F16;
  const uint8_t *values = bytes + pmpd_npu_kv_part_offset(format, hd, 1);
  const uint8_t *scales = bytes + pmpd_npu_kv_part_offset(format, hd, 2);
  for (unsigned t = 0; t < tokens; ++t) {
    for (unsigned j = 0; j < hd; ++j) {
      tile.keys[j * tileTokens + t] = element(bytes, format, t * hd + j);
      tile.values[t * hd + j] = element(values, format, t * hd + j);
    }
    if (tile.scaled) {
      tile.keyScale[t] = element(scales, PMPD_NPU_KV_F16, t);
      tile.valueScale[t] = element(scales, PMPD_NPU_KV_F16, tileTokens + t);
    }
  }
}

/// One query head against the first `tokens` tokens of a tile. Returns false
/// if a score is NaN.
bool attend(const float *q, const Tile &tile, unsigned hd, unsigned tokens,
            float scale, pmpd_npu_att_state &state, float *o) {
  float scores[tileTokens] = {};
  for (unsigned j = 0; j < hd; ++j)
    for (unsigned t = 0; t < tileTokens; ++t)
      scores[t] += q[j] * tile.keys[j * tileTokens + t];
  float most = state.max;
  for (unsigned t = 0; t < tokens; ++t) {
    if (tile.scaled)
      scores[t] = scores[t] * tile.keyScale[t];
    scores[t] = scores[t] * scale;
    if (scores[t] != scores[t])
      return false;
    most = std::max(most, scores[t]);
  }
  float correction =
      state.max == -INFINITY ? 0.0f : machineExp(state.max - most);
  state.max = most;
  state.sum = state.sum * correction;
  for (unsigned j = 0; j < hd; ++j)
    o[j] = o[j] * correction;
  for (unsigned t = 0; t < tokens; ++t) {
    float p = machineExp(scores[t] - most);
    state.sum = state.sum + p;
    float weight = tile.scaled ? p * tile.valueScale[t] : p;
    const float *v = &tile.values[t * hd];
    for (unsigned j = 0; j < hd; ++j)
      o[j] = o[j] + weight * v[j];
  }
  return true;
}

} // namespace

const char *pmpd::npu::executeAttention(const Work &work, const Units &units) {
  const pmpd_npu_att &in = work.instruction->att;
  unsigned hd = 8 * in.hd8;
  unsigned seen = static_cast<unsigned>(work.visible(work.rows - 1));
  Tile tile;
  if (seen)
    readTile(units.at<uint8_t>(work.local[1]), in.h.mode, hd, seen, tile);
  uint64_t record = sizeof(pmpd_npu_att_state) + 4 * hd;
  for (uint64_t m = 0; m < work.rows; ++m)
    for (unsigned head = 0; head < in.nq; ++head) {
      uint64_t offset = 4 * hd * (m * in.heads + head);
      uint64_t at = work.local[2] + (m * in.nq + head) * record;
      auto *state = units.at<pmpd_npu_att_state>(at);
      auto *o = units.at<float>(at + sizeof(pmpd_npu_att_state));
      if (in.h.flags & PMPD_NPU_F_FIRST) {
        *state = {-INFINITY, 0.0f, {}};
        std::fill_n(o, hd, 0.0f);
      }
      unsigned tokens = static_cast<unsigned>(work.visible(m));
      if (tokens && !attend(units.at<float>(work.local[0] + offset), tile, hd,
                            tokens, in.scale, *state, o))
        return "a score is not a number";
      if (in.h.flags & PMPD_NPU_F_LAST) {
        auto *out = units.at<float>(work.local[3] + offset);
        for (unsigned j = 0; j < hd; ++j)
          out[j] = state->sum == 0.0f ? 0.0f : o[j] / state->sum;
      }
    }
  return nullptr;
}
