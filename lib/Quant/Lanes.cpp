// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Quant/Lanes.h"

#include <algorithm>
#include <limits>

using namespace pmpd;

// One version for each generation of vectors, chosen when the program starts.
#if defined(__x86_64__) && defined(__linux__)
#define PMPD_VECTOR_VERSIONS                                                   \
  __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define PMPD_VECTOR_VERSIONS
#endif

TableShape::TableShape(int bits, const std::vector<int> &prefixes)
    : bits(bits), prefixes(static_cast<int>(prefixes.size())), entries(0) {
  for (int p = 0; p < this->prefixes; ++p) {
    shift[p] = bits - prefixes[p];
    begin[p] = entries;
    entries += 1 << prefixes[p];
  }
}

PMPD_VECTOR_VERSIONS
void pmpd::multiplyAdd(const float *matrix, int64_t stride, int64_t count,
                       int64_t depth, const LaneRow *in, LaneRow *out) {
  // Sums of 4 rows and 32 lanes stay in registers; 128 inputs in the cache.
  constexpr int Rows = 4, Width = 32, Depth = 128;
  for (int64_t first = 0; first < depth; first += Depth) {
    int64_t last = std::min<int64_t>(first + Depth, depth);
    int64_t i = 0;
    for (; i + Rows <= count; i += Rows)
      for (int begin = 0; begin < Lanes; begin += Width) {
        float sum[Rows][Width];
        for (int r = 0; r < Rows; ++r)
          for (int l = 0; l < Width; ++l)
            sum[r][l] = out[i + r].lane[begin + l];
        for (int64_t k = first; k < last; ++k) {
          const float *row = in[k].lane.data() + begin;
          for (int r = 0; r < Rows; ++r) {
            float factor = matrix[(i + r) * stride + k];
            for (int l = 0; l < Width; ++l)
              sum[r][l] += factor * row[l];
          }
        }
        for (int r = 0; r < Rows; ++r)
          for (int l = 0; l < Width; ++l)
            out[i + r].lane[begin + l] = sum[r][l];
      }
    for (; i < count; ++i)
      for (int64_t k = first; k < last; ++k) {
        float factor = matrix[i * stride + k];
        for (int l = 0; l < Lanes; ++l)
          out[i].lane[l] += factor * in[k].lane[l];
      }
  }
}

PMPD_VECTOR_VERSIONS
void pmpd::roundColumns(const TableShape &shape, ColumnBlock &block) {
  for (int64_t j = 0; j < block.count; ++j) {
    const LaneRow *table = block.tables[j];
    float weights[PMPD_MAX_PREFIXES][Lanes];
    for (int p = 0; p < shape.prefixes; ++p)
      for (int l = 0; l < Lanes; ++l)
        weights[p][l] = block.weight[p].lane[l] * block.curvature[p][j];
    float best[Lanes];
    int32_t code[Lanes];
    for (int l = 0; l < Lanes; ++l) {
      best[l] = std::numeric_limits<float>::infinity();
      code[l] = 0;
    }
    for (int c = 0; c < 1 << shape.bits; ++c) {
      float cost[Lanes] = {};
      for (int p = 0; p < shape.prefixes; ++p) {
        const float *value =
            table[shape.begin[p] + (c >> shape.shift[p])].lane.data();
        const float *target = block.target[p][j].lane.data();
        const float *weight = weights[p];
        for (int l = 0; l < Lanes; ++l) {
          float error = value[l] - target[l];
          cost[l] += weight[l] * error * error;
        }
      }
      for (int l = 0; l < Lanes; ++l) {
        bool better = cost[l] < best[l];
        best[l] = better ? cost[l] : best[l];
        code[l] = better ? c : code[l];
      }
    }
    for (int l = 0; l < Lanes; ++l)
      block.codes[j * Lanes + l] = static_cast<uint8_t>(code[l]);

    for (int p = 0; p < shape.prefixes; ++p) {
      float value[Lanes] = {};
      for (int e = 0; e < 1 << (shape.bits - shape.shift[p]); ++e) {
        const float *entry = table[shape.begin[p] + e].lane.data();
        for (int l = 0; l < Lanes; ++l)
          value[l] = code[l] >> shape.shift[p] == e ? entry[l] : value[l];
      }
      float *change = block.change[p][j].lane.data();
      for (int l = 0; l < Lanes; ++l) {
        change[l] = value[l] - change[l];
        block.value[p][j].lane[l] = value[l];
      }
      for (int64_t k = j + 1; k < block.count; ++k) {
        float factor = block.feedback[p][k * block.stride + j];
        float *target = block.target[p][k].lane.data();
        for (int l = 0; l < Lanes; ++l)
          target[l] += factor * change[l];
      }
    }
  }
}
