// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "pmpd/npu_layout.h"
#include "runtime/targets/npu/Execute.h"
#include "runtime/targets/npu/Float.h"

#include <algorithm>

using namespace pmpd::npu;

namespace {

constexpr unsigned blockRows = PMPD_NPU_ROW_BLOCK;
constexpr unsigned wordCols = PMPD_NPU_WORD_COLS;

/// One activation row against one tile of a nested weight.
struct BitPlaneRow {
  const uint32_t *planes;             // [bits][N/64][K/32][64]
  const uint16_t *metadata;           // [N/64][K/G][values][64]
  const void *x;                      // [K]
  const pmpd_npu_group_scale *scales; // [K/G]
  float *out;                         // [N]
  unsigned rows, cols, group, bits;
  uint8_t flags;
};

/// The sums of every subset of 8 columns: T[c][m] adds x[8c + j] over the bits
/// j of m. Turns 8 bits of a plane into one addition.
template <typename Code>
void sumSubsets(const Code *x, unsigned cols, int32_t *table) {
  for (unsigned c = 0; c < cols / 8; ++c, table += 256) {
    table[0] = 0;
    for (unsigned j = 0; j < 8; ++j) {
      int32_t value = x[8 * c + j];
      for (unsigned m = 0; m < 1u << j; ++m)
        table[(1u << j) + m] = table[m] + value;
    }
  }
}

/// Sum of the activations under the set bits of a word.
int32_t sumUnder(uint32_t word, const int32_t *table) {
  return table[word & 255] + table[256 + (word >> 8 & 255)] +
         table[512 + (word >> 16 & 255)] + table[768 + (word >> 24)];
}

/// I of the plain and affine forms for the 64 rows of a block.
void planeSums(const BitPlaneRow &row, const uint32_t *words,
               uint64_t planeWords, int32_t sum, const int32_t *table,
               int32_t (&integers)[blockRows]) {
  std::fill(std::begin(integers), std::end(integers), 0);
  bool plain = !(row.flags & PMPD_NPU_F_AFFINE);
  for (unsigned p = 0; p < row.bits; ++p, words += planeWords) {
    int32_t sums[blockRows] = {};
    for (unsigned w = 0; w < row.group / wordCols; ++w)
      for (unsigned r = 0; r < blockRows; ++r)
        sums[r] += sumUnder(words[w * blockRows + r], table + w * 4 * 256);
    int32_t weight = 1 << (row.bits - 1 - p);
    for (unsigned r = 0; r < blockRows; ++r)
      integers[r] += weight * (plain ? 2 * sums[r] - sum : sums[r]);
  }
}

/// Adds t of the codebook form to the 64 outputs y of a block.
void addCodebook(const BitPlaneRow &row, const uint32_t *words,
                 uint64_t planeWords, const uint16_t *h,
                 const pmpd_npu_group_scale &scale, const int32_t *table,
                 float (&y)[blockRows]) {
  for (unsigned r = 0; r < blockRows; ++r) {
    float t = static_cast<float>(scale.sum) * (halfToFloat(h[r]) * scale.sx);
    for (unsigned m = 1; m < 1u << row.bits; ++m) {
      int32_t negative = 0; // sum over the columns where the product is -1
      for (unsigned w = 0; w < row.group / wordCols; ++w) {
        uint32_t signs = 0;
        for (unsigned p = 0; p < row.bits; ++p)
          if (m >> p & 1)
            signs ^= ~words[p * planeWords + w * blockRows + r];
        negative += sumUnder(signs, table + w * 4 * 256);
      }
      t += static_cast<float>(scale.sum - 2 * negative) *
           (halfToFloat(h[m * blockRows + r]) * scale.sx);
    }
    y[r] += t;
  }
}

void addScaled(const BitPlaneRow &row, const uint16_t *metadata,
               const pmpd_npu_group_scale &scale,
               const int32_t (&integers)[blockRows], float (&y)[blockRows]) {
  for (unsigned r = 0; r < blockRows; ++r) {
    float t =
        static_cast<float>(integers[r]) * (halfToFloat(metadata[r]) * scale.sx);
    if (row.flags & PMPD_NPU_F_AFFINE)
      t += static_cast<float>(scale.sum) *
           (halfToFloat(metadata[blockRows + r]) * scale.sx);
    y[r] += t;
  }
}

void multiply(const BitPlaneRow &row, std::vector<int32_t> &table) {
  unsigned groups = row.cols / row.group;
  unsigned values = pmpd_npu_metadata_values(row.flags, row.bits);
  uint64_t planeWords = pmpd_npu_plane_bytes(row.rows, row.cols) / 4;
  table.resize(row.group / 8 * 256);
  if (!(row.flags & PMPD_NPU_F_ACC))
    std::fill(row.out, row.out + row.rows, 0.0f);
  for (unsigned g = 0; g < groups; ++g) {
    if (row.flags & PMPD_NPU_F_A16)
      sumSubsets(static_cast<const int16_t *>(row.x) + g * row.group, row.group,
                 table.data());
    else
      sumSubsets(static_cast<const int8_t *>(row.x) + g * row.group, row.group,
                 table.data());
    for (unsigned n = 0; n < row.rows; n += blockRows) {
      unsigned block = n / blockRows;
      const uint32_t *words =
          row.planes +
          (static_cast<uint64_t>(block) * row.cols + g * row.group) / wordCols *
              blockRows;
      const uint16_t *metadata =
          row.metadata +
          (static_cast<uint64_t>(block) * groups + g) * values * blockRows;
      unsigned used = std::min(blockRows, row.rows - n);
      float y[blockRows] = {};
      std::copy_n(row.out + n, used, y);
      if (row.flags & PMPD_NPU_F_LUT) {
        addCodebook(row, words, planeWords, metadata, row.scales[g],
                    table.data(), y);
      } else {
        int32_t integers[blockRows];
        planeSums(row, words, planeWords, row.scales[g].sum, table.data(),
                  integers);
        addScaled(row, metadata, row.scales[g], integers, y);
      }
      std::copy_n(y, used, row.out + n);
    }
  }
}

} // namespace

void pmpd::npu::executeBitPlanes(const Work &work, Units &units) {
  const pmpd_npu_header &h = work.instruction->h;
  BitPlaneRow row = {};
  row.group = groupOf(h);
  row.bits = h.mode & 15;
  row.flags = h.flags;
  row.planes = units.at<uint32_t>(work.local[0]);
  row.x = units.at<void>(work.local[1]);
  row.scales = units.at<pmpd_npu_group_scale>(work.local[2]);
  if (h.op == PMPD_NPU_BPMV) {
    const pmpd_npu_bpmv &in = work.instruction->bpmv;
    row.rows = in.N;
    row.cols = in.K;
    row.metadata = units.at<uint16_t>(work.local[3]);
    row.out = units.at<float>(work.local[4]);
    multiply(row, units.subsetSums);
    return;
  }
  const pmpd_npu_mmq &in = work.instruction->mmq;
  row.rows = in.N;
  row.cols = in.K;
  row.metadata = units.at<uint16_t>(
      work.local[0] + pmpd_npu_planes_bytes(in.N, in.K, row.bits));
  uint64_t stride = 32 * in.xcols32;
  uint64_t rowBytes = stride * (h.flags & PMPD_NPU_F_A16 ? 2 : 1);
  for (uint64_t m = 0; m < work.rows; ++m) {
    row.x = units.at<void>(work.local[1] + m * rowBytes);
    row.out = units.at<float>(work.local[3] + m * in.ostride64 * 64);
    multiply(row, units.subsetSums);
    row.scales += stride / row.group;
  }
}

void pmpd::npu::executeHalf(const Work &work, const Units &units) {
  const pmpd_npu_mmh &in = work.instruction->mmh;
  const auto *w = units.at<uint16_t>(work.local[0]);
  for (uint64_t m = 0; m < work.rows; ++m) {
    const auto *x = units.at<uint16_t>(work.local[1] + m * in.xstride64 * 64);
    auto *out = units.at<float>(work.local[2] + m * in.ostride64 * 64);
    for (unsigned n = 0; n < in.N; n += blockRows) {
      unsigned used = std::min<unsigned>(blockRows, in.N - n);
      float y[blockRows] = {};
      if (in.h.flags & PMPD_NPU_F_ACC)
        std::copy_n(out + n, used, y);
      const uint16_t *column = w + static_cast<uint64_t>(n) * in.K;
      for (unsigned k = 0; k < in.K; ++k, column += blockRows) {
        float activation = halfToFloat(x[k]);
        for (unsigned r = 0; r < blockRows; ++r)
          y[r] += halfToFloat(column[r]) * activation;
      }
      std::copy_n(y, used, out + n);
    }
  }
}
