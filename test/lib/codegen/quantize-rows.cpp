// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Codegen/RowFormat.h"
#include "test/lib/ReferenceLinear.h"
#include "test/lib/codegen/CompiledKernel.h"

#include <cstring>

using namespace pmpd::codegen;
using namespace pmpd::test;

namespace {

class QuantizeRows : public ForEveryISA {};

/// A row as the format's comments say, decoded.
QuantizedInput decode(const uint8_t *row, int bits, int64_t cols, int64_t group,
                      std::vector<float> &sums) {
  QuantizedInput result;
  auto *bytes = reinterpret_cast<const int8_t *>(row);
  for (int64_t k = 0; k < cols; ++k)
    result.q.push_back(bits == 8 ? bytes[k] : 256 * bytes[k] + bytes[cols + k]);
  auto *floats = reinterpret_cast<const float *>(row + cols * bits / 8);
  result.scale.assign(floats, floats + cols / group);
  sums.assign(floats + cols / group, floats + 2 * cols / group);
  return result;
}

TEST_P(QuantizeRows, equals_the_reference) {
  std::mt19937 random(1);
  for (auto [cols, group] : {std::pair<int64_t, int64_t>{128, 32},
                             {384, 128},
                             {192, 96},
                             {512, 512}})
    for (int bits : {8, 16}) {
      SCOPED_TRACE(testing::Message()
                   << bits << " bits, " << cols << " / " << group);
      constexpr int64_t rows = 5;
      CompiledKernel kernel(
          GetParam(), [bits, cols = cols, group = group](CpuKernels &library) {
            return library.quantizeRows(cols, bits, group);
          });
      Guarded<float> x(randomFloats(rows * cols, random, 10));
      std::fill_n(x.data(), group, 0.0f);          // no largest magnitude
      std::fill_n(x.data() + cols, group, 1e-40f); // one without an inverse
      x[2 * cols + 1] = 1000;                      // an outlier
      for (int64_t k = 0; k < group; ++k)          // ties, and both ends
        x[3 * cols + k] = k == 0 ? 127 : k == 1 ? -127 : k % 100 - 49.5f;
      Guarded<uint8_t> y(rows * bytesPerQuantizedRow(cols, bits, group));
      Guarded<uint8_t> again(y.size());
      kernel.run({x.data(), y.data()}, rows);
      kernel.runInPieces({x.data(), again.data()}, rows, 0, random);
      EXPECT_EQ(std::memcmp(y.data(), again.data(), y.size()), 0);
      for (int64_t t = 0; t < rows; ++t) {
        std::vector<float> input(x.data() + t * cols,
                                 x.data() + (t + 1) * cols);
        QuantizedInput expected =
            quantizeInput(input, group, quantizedRowLimit(bits));
        std::vector<float> sums;
        QuantizedInput actual =
            decode(y.data() + t * bytesPerQuantizedRow(cols, bits, group), bits,
                   cols, group, sums);
        EXPECT_EQ(actual.q, expected.q) << "row " << t;
        EXPECT_EQ(actual.scale, expected.scale) << "row " << t;
        for (int64_t g = 0; g < cols / group; ++g) {
          int64_t sum = 0;
          for (int64_t k = g * group; k < (g + 1) * group; ++k)
            sum += expected.q[k];
          EXPECT_EQ(sums[g], expected.scale[g] * static_cast<float>(sum));
        }
      }
    }
}

TEST(RowFormat, limit_fits_two_signed_bytes) {
  EXPECT_EQ(quantizedRowLimit(8), INT8_MAX);
  EXPECT_EQ(quantizedRowLimit(16), 256 * INT8_MAX + INT8_MAX);
}

TEST(RowFormat, rows_are_whole_lines) {
  EXPECT_EQ(bytesPerQuantizedRow(128, 8, 128), 192);
  EXPECT_EQ(bytesPerQuantizedRow(256, 16, 32), 512 + 64);
}

PMPD_FOR_EVERY_ISA(QuantizeRows);

} // namespace
