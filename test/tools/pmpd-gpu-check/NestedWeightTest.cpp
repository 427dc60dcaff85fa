// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The reader of the checks against the one of the compiler.
#include "tools/pmpd-gpu-check/NestedWeight.h"

#include "lib/Pack/Pack.h"

#include <cmath>
#include <gtest/gtest.h>

using namespace pmpd;
using pmpd::tools::NestedWeight;

TEST(NestedWeightTest, rows_are_those_that_the_compiler_reads) {
  for (NestedWeight weight :
       {NestedWeight{16, 256, 128}, {40, 384, 128}, {17, 512, 256}}) {
    NestedShape shape;
    shape.rows = weight.rows;
    shape.cols = weight.cols;
    shape.group = weight.group;
    shape.bits = 4;
    shape.prefixes = {2, 3, 4};
    ASSERT_EQ(weight.bytes(), packedBytes(shape, PMPD_LAYOUT_GPU));
    std::vector<uint8_t> packed = weight.random(/*seed=*/3);
    for (int prefix = 0; prefix < 3; ++prefix) {
      std::vector<float> expected = dequantize(
          readPrefix(shape, prefix, PMPD_LAYOUT_GPU, packed.data()), 0);
      for (int64_t row = 0; row < weight.rows; ++row) {
        std::vector<double> values = weight.row(packed, row, 2 + prefix);
        for (int64_t k = 0; k < weight.cols; ++k)
          ASSERT_NEAR(values[k], expected[row * weight.cols + k], 1e-6)
              << "row " << row << ", column " << k;
      }
    }
  }
}

TEST(NestedWeightTest, random_parameters_are_small_numbers) {
  NestedWeight weight = {16, 256, 128};
  std::vector<uint8_t> packed = weight.random(/*seed=*/3);
  double largest = 0;
  for (double value : weight.row(packed, 5, 4)) {
    EXPECT_TRUE(std::isfinite(value));
    largest = std::max(largest, std::fabs(value));
  }
  EXPECT_GT(largest, 0x1p-10);
  EXPECT_LT(largest, 16 * 0x1p-3);
}
