// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Pack/Pack.h"
#include "lib/Quant/Half.h"
#include "pmpd/gpu_layout.h"
#include "test/lib/RandomTensor.h"
#include "test/lib/ReferenceLinear.h"

#include <gtest/gtest.h>

using namespace pmpd;
using namespace pmpd::test;

namespace {

const pmpd_layout Layouts[] = {PMPD_LAYOUT_PLAIN, PMPD_LAYOUT_S,
                               PMPD_LAYOUT_NPU, PMPD_LAYOUT_GPU};

int64_t smallestGroup(pmpd_layout layout) {
  return layout == PMPD_LAYOUT_GPU ? 128 : 32;
}

/// Shapes around the edges of panels (16 rows) and tiles (32 or 256 columns),
/// with every list of prefixes; regions on both sides of the page alignment.
std::vector<NestedShape> shapes(pmpd_layout layout) {
  int64_t group = smallestGroup(layout);
  std::vector<NestedShape> list;
  const std::vector<int> prefixes[] = {{2},    {3},    {4},      {2, 3},
                                       {2, 4}, {3, 4}, {2, 3, 4}};
  for (const std::vector<int> &bits : prefixes) {
    for (int64_t rows : {1, 15, 16, 17, 31, 32, 33, 48})
      for (int64_t groups : {1, 2, 3, 8})
        list.push_back(nestedShape(rows, groups * group, group, bits));
    list.push_back(nestedShape(33, 1152, 384, bits));
    list.push_back(nestedShape(250, 2176, 128, bits));
  }
  return list;
}

std::string describe(const NestedShape &shape, pmpd_layout layout) {
  return std::to_string(shape.rows) + " x " + std::to_string(shape.cols) +
         ", bits " + std::to_string(shape.bits) + ", prefixes " +
         std::to_string(shape.prefixes.size()) + ", layout " +
         std::to_string(layout);
}

PackedWeight view(const NestedShape &shape, pmpd_layout layout,
                  const std::vector<uint8_t> &bytes) {
  return {shape.rows,     shape.cols, shape.group, shape.bits,
          shape.prefixes, layout,     bytes.data()};
}

void expectEqual(const NestedTensor &a, const NestedTensor &b) {
  EXPECT_EQ(a.codes, b.codes);
  ASSERT_EQ(a.params.size(), b.params.size());
  for (size_t p = 0; p < a.params.size(); ++p) {
    EXPECT_EQ(a.params[p].scale, b.params[p].scale);
    EXPECT_EQ(a.params[p].min, b.params[p].min);
  }
}

TEST(Pack, UnpackIsTheInverse) {
  unsigned seed = 1;
  for (pmpd_layout layout : Layouts)
    for (const NestedShape &shape : shapes(layout)) {
      SCOPED_TRACE(describe(shape, layout));
      // The NPU takes groups of powers of two only.
      if (layout == PMPD_LAYOUT_NPU && shape.group == 384)
        continue;
      ASSERT_EQ(layoutProblem(shape, layout), "");
      NestedTensor tensor = randomTensor(shape, seed++);
      std::vector<uint8_t> bytes = pack(tensor, layout);
      EXPECT_EQ(bytes.size(), packedBytes(shape, layout));
      expectEqual(unpack(shape, layout, bytes.data()), tensor);
    }
}

TEST(Pack, BytesAreAsTheLayoutDescribes) {
  unsigned seed = 1000;
  for (pmpd_layout layout : Layouts)
    for (const NestedShape &shape : shapes(layout)) {
      SCOPED_TRACE(describe(shape, layout));
      NestedTensor tensor = randomTensor(shape, seed++);
      std::vector<uint8_t> bytes = pack(tensor, layout);
      PackedWeight packed = view(shape, layout, bytes);
      for (size_t p = 0; p < shape.prefixes.size(); ++p) {
        int prefix = shape.prefixes[p];
        for (int64_t n = 0; n < shape.rows; ++n)
          for (int64_t k = 0; k < shape.cols; ++k)
            ASSERT_EQ(referenceCode(packed, n, k, prefix),
                      tensor.codes[n * shape.cols + k] >> (shape.bits - prefix))
                << "row " << n << ", column " << k;
        for (int64_t n = 0; n < shape.rows; ++n)
          for (int64_t g = 0; g < shape.groups(); ++g) {
            ScaleAndMin pair = referenceParams(packed, n, g, prefix);
            int64_t i = n * shape.groups() + g;
            ASSERT_EQ(pair.scale, halfToFloat(tensor.params[p].scale[i]));
            ASSERT_EQ(pair.min, halfToFloat(tensor.params[p].min[i]));
          }
      }
    }
}

TEST(Pack, PaddingRowsAndGapsAreZero) {
  for (pmpd_layout layout : Layouts) {
    int64_t group = smallestGroup(layout);
    NestedTensor tensor(nestedShape(17, 3 * group, group, {2, 3, 4}));
    std::fill(tensor.codes.begin(), tensor.codes.end(), 15);
    for (NestedParams &params : tensor.params) {
      std::fill(params.scale.begin(), params.scale.end(), 0xFFFF);
      std::fill(params.min.begin(), params.min.end(), 0xFFFF);
    }
    int64_t ones = 0;
    for (uint8_t byte : pack(tensor, layout))
      ones += __builtin_popcount(byte);
    // Four bits per weight, two halves per row, group and prefix.
    EXPECT_EQ(ones, 17 * 3 * group * 4 + 17 * 3 * 3 * 32) << layout;
  }
}

TEST(Pack, NarrowReadOfAWidePackTruncates) {
  for (pmpd_layout layout : Layouts) {
    int64_t group = smallestGroup(layout);
    NestedShape shape = nestedShape(33, 3 * group, group, {2, 3, 4});
    NestedTensor tensor = randomTensor(shape, 7);
    std::vector<uint8_t> bytes = pack(tensor, layout);
    for (int p = 0; p < 3; ++p) {
      NestedTensor read = readPrefix(shape, p, layout, bytes.data());
      EXPECT_EQ(read.shape.bits, p + 2);
      for (size_t i = 0; i < read.codes.size(); ++i)
        ASSERT_EQ(read.codes[i], tensor.codes[i] >> (2 - p));
      EXPECT_EQ(read.params[0].scale, tensor.params[p].scale);
      EXPECT_EQ(dequantize(read, 0), dequantize(tensor, p));
    }
  }
}

/// Of a 4-bit weight with the prefixes 2, 3 and 4, reads each with all bytes
/// flipped but those of its regions and of its parameters.
void expectNarrowReads(const NestedShape &shape, pmpd_layout layout,
                       uint64_t region,
                       uint64_t (*paramsOffset)(uint64_t, uint64_t, uint64_t,
                                                unsigned, unsigned)) {
  std::vector<uint8_t> bytes = pack(randomTensor(shape, 8), layout);
  for (int p = 0; p < 3; ++p) {
    NestedTensor before = readPrefix(shape, p, layout, bytes.data());
    std::vector<uint8_t> damaged = bytes;
    uint64_t own = paramsOffset(shape.rows, shape.cols, shape.group, 4,
                                static_cast<unsigned>(p));
    uint64_t next = paramsOffset(shape.rows, shape.cols, shape.group, 4,
                                 static_cast<unsigned>(p + 1));
    for (uint64_t i = (p + 2) * region; i < damaged.size(); ++i)
      if (i < own || i >= next)
        damaged[i] ^= 0xFF;
    expectEqual(readPrefix(shape, p, layout, damaged.data()), before);
  }
}

TEST(Pack, NarrowReadTouchesOnlyItsRegions) {
  expectNarrowReads(nestedShape(33, 96, 32, {2, 3, 4}), PMPD_LAYOUT_S,
                    pmpd_s_region_bytes(33, 96), pmpd_s_params_offset);
  expectNarrowReads(nestedShape(33, 384, 128, {2, 3, 4}), PMPD_LAYOUT_GPU,
                    pmpd_gpu_plane_bytes(33, 384), pmpd_gpu_params_offset);
}

TEST(Pack, RowsInPiecesEqualTheWhole) {
  NestedShape shape = nestedShape(41, 128, 128, {2, 3, 4});
  NestedTensor whole = randomTensor(shape, 9);
  for (pmpd_layout layout : Layouts) {
    std::vector<uint8_t> bytes(packedBytes(shape, layout));
    for (int64_t first : {32, 0, 16}) {
      NestedShape part = shape;
      part.rows = std::min<int64_t>(16, shape.rows - first);
      NestedTensor rows(part);
      std::copy_n(whole.codes.begin() + first * 128, part.rows * 128,
                  rows.codes.begin());
      for (int p = 0; p < 3; ++p) {
        std::copy_n(whole.params[p].scale.begin() + first, part.rows,
                    rows.params[p].scale.begin());
        std::copy_n(whole.params[p].min.begin() + first, part.rows,
                    rows.params[p].min.begin());
      }
      packRows(rows, first, shape, layout, bytes.data());
    }
    EXPECT_EQ(bytes, pack(whole, layout));
  }
}

TEST(Pack, BadShapesAreRefused) {
  auto problem = [](NestedShape shape) {
    return layoutProblem(shape, PMPD_LAYOUT_S);
  };
  EXPECT_EQ(problem(nestedShape(16, 100, 64, {4})),
            "expected a group that divides the 100 columns, but got 64");
  EXPECT_EQ(problem(nestedShape(16, 48, 16, {4})),
            "expected a multiple of 32 columns for layout S, but got 48; use "
            "layout plain");
  EXPECT_EQ(problem(nestedShape(16, 64, 32, {4, 3})),
            "expected readable bits in ascending order from at least 2 up to "
            "3, but got [4, 3]");
  EXPECT_EQ(problem(nestedShape(16, 64, 32, {5})),
            "expected 2 to 4 bits, but got 5");
  EXPECT_EQ(problem(nestedShape(0, 64, 32, {4})),
            "expected at least one row and column, but got 0 x 64");
  EXPECT_EQ(layoutProblem(nestedShape(16, 48, 16, {4}), PMPD_LAYOUT_PLAIN), "");
  EXPECT_NE(layoutProblem(nestedShape(16, 64, 32, {4}), PMPD_LAYOUT_DENSE), "");
  EXPECT_EQ(layoutProblem(nestedShape(16, 192, 64, {4}), PMPD_LAYOUT_GPU),
            "expected groups of a multiple of 128 columns for layout GPU, but "
            "got 64; quantize with such a group");
}

TEST(ReferenceLinear, EqualsTheDequantizedProduct) {
  NestedShape shape = nestedShape(19, 256, 128, {2, 3, 4});
  NestedTensor tensor = randomTensor(shape, 10);
  std::vector<float> x(shape.cols);
  for (int64_t k = 0; k < shape.cols; ++k)
    x[k] = std::sin(static_cast<float>(k));
  for (pmpd_layout layout : Layouts) {
    std::vector<uint8_t> bytes = pack(tensor, layout);
    for (int p = 0; p < 3; ++p) {
      std::vector<float> w = dequantize(tensor, p);
      PackedWeight packed = view(shape, layout, bytes);
      std::vector<double> y = referenceLinear(packed, p + 2, x);
      std::vector<double> q =
          referenceLinearQuantized(packed, p + 2, quantizeInput(x, 128));
      for (int64_t n = 0; n < shape.rows; ++n) {
        double expected = 0, magnitude = 0;
        for (int64_t k = 0; k < shape.cols; ++k) {
          expected += static_cast<double>(w[n * shape.cols + k]) * x[k];
          magnitude += std::fabs(w[n * shape.cols + k] * x[k]);
        }
        EXPECT_NEAR(y[n], expected, 1e-6 * magnitude);
        EXPECT_NEAR(q[n], expected, 1e-2 * magnitude);
      }
    }
  }
}

} // namespace
