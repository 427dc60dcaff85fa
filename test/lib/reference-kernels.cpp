// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Reference/Kernels.h"

#include <gtest/gtest.h>

#include <cmath>

using namespace pmpd;

namespace {
RowMatrix makeRows(int64_t rows, int64_t cols, float seed) {
  RowMatrix result(rows, cols);
  for (int64_t t = 0; t < rows; ++t)
    for (int64_t k = 0; k < cols; ++k)
      result(t, k) = std::sin(seed + 1.7f * t + 0.9f * k) * 2;
  return result;
}

std::vector<float> makeVector(int64_t cols, float seed) {
  RowMatrix row = makeRows(1, cols, seed);
  return {row.data(), row.data() + cols};
}
} // namespace

TEST(Kernels, RmsNorm) {
  RowMatrix x = makeRows(3, 5, 1);
  std::vector<float> weight = makeVector(5, 2);
  RowMatrix y = rmsNorm(x, weight, 0.1);
  for (int t = 0; t < 3; ++t) {
    double sum = 0;
    for (int k = 0; k < 5; ++k)
      sum += double(x(t, k)) * x(t, k);
    for (int k = 0; k < 5; ++k)
      EXPECT_NEAR(y(t, k), x(t, k) / std::sqrt(sum / 5 + 0.1) * weight[k],
                  1e-6);
  }
}

TEST(Kernels, RmsNormOfHeads) {
  RowMatrix x = makeRows(2, 6, 1);
  std::vector<float> weight = makeVector(3, 2);
  RowMatrix y = rmsNorm(x, weight, 0.1);
  for (int t = 0; t < 2; ++t)
    for (int head = 0; head < 2; ++head)
      EXPECT_EQ(y.row(t).segment(3 * head, 3),
                rmsNorm(x.row(t).segment(3 * head, 3), weight, 0.1));
}

TEST(Kernels, LayerNorm) {
  RowMatrix x = makeRows(2, 4, 3);
  std::vector<float> weight = makeVector(4, 1), bias = makeVector(4, 5);
  RowMatrix y = layerNorm(x, weight, bias, 0.01);
  for (int t = 0; t < 2; ++t) {
    double mean = 0, variance = 0;
    for (int k = 0; k < 4; ++k)
      mean += x(t, k) / 4.0;
    for (int k = 0; k < 4; ++k)
      variance += (x(t, k) - mean) * (x(t, k) - mean) / 4;
    for (int k = 0; k < 4; ++k)
      EXPECT_NEAR(y(t, k),
                  (x(t, k) - mean) / std::sqrt(variance + 0.01) * weight[k] +
                      bias[k],
                  1e-6);
  }
}

TEST(Kernels, Activate) {
  RowMatrix x(1, 3);
  x << -1, 0, 2;
  // Values from the definitions, worked out elsewhere.
  RowMatrix silu(1, 3), erf(1, 3), tanh(1, 3), relu(1, 3);
  silu << -0.26894142f, 0, 1.76159416f;
  erf << -0.15865525f, 0, 1.95449974f;
  tanh << -0.15880801f, 0, 1.95459769f;
  relu << 0, 0, 2;
  EXPECT_TRUE(activate(x, ActivationKind::Silu).isApprox(silu, 1e-6f));
  EXPECT_TRUE(activate(x, ActivationKind::GeluErf).isApprox(erf, 1e-6f));
  EXPECT_TRUE(activate(x, ActivationKind::GeluTanh).isApprox(tanh, 1e-6f));
  EXPECT_TRUE(activate(x, ActivationKind::Relu).isApprox(relu, 1e-6f));
}

/// Two heads of 6 elements of which 4 rotate, at position 3.
static void checkRotation(RopeStyle style, int first, int second, int step) {
  RowMatrix x = makeRows(2, 12, 1);
  std::vector<float> table(5 * 4);
  for (int position = 0; position < 5; ++position)
    for (int i = 0; i < 2; ++i) {
      table[position * 4 + i] = std::cos(position * (i + 0.5));
      table[position * 4 + 2 + i] = std::sin(position * (i + 0.5));
    }
  RowMatrix y = rotate(x, table, 2, style, 2, 3);
  for (int t = 0; t < 2; ++t)
    for (int head = 0; head < 2; ++head) {
      for (int i = 0; i < 2; ++i) {
        double angle = (3 + t) * (i + 0.5);
        int a = head * 6 + first + i * step, b = head * 6 + second + i * step;
        EXPECT_NEAR(y(t, a),
                    x(t, a) * std::cos(angle) - x(t, b) * std::sin(angle),
                    1e-5);
        EXPECT_NEAR(y(t, b),
                    x(t, b) * std::cos(angle) + x(t, a) * std::sin(angle),
                    1e-5);
      }
      EXPECT_EQ(y(t, head * 6 + 4), x(t, head * 6 + 4));
      EXPECT_EQ(y(t, head * 6 + 5), x(t, head * 6 + 5));
    }
}

TEST(Kernels, RotateHalf) { checkRotation(RopeStyle::Half, 0, 2, 1); }
TEST(Kernels, RotateInterleaved) {
  checkRotation(RopeStyle::Interleaved, 0, 1, 2);
}

/// Queries at positions 2 to 4 over 5 cached tokens.
static void checkAttention(int window) {
  RowMatrix q = makeRows(3, 4, 1), k = makeRows(5, 4, 2), v = makeRows(5, 4, 3);
  RowMatrix y = attend(q, k, v, 0.5, 2, window);
  for (int t = 0; t < 3; ++t) {
    int end = 2 + t + 1, begin = window ? std::max(0, end - window) : 0;
    std::vector<double> p;
    double sum = 0;
    for (int j = begin; j < end; ++j) {
      double dot = 0;
      for (int i = 0; i < 4; ++i)
        dot += double(q(t, i)) * k(j, i);
      p.push_back(std::exp(0.5 * dot));
      sum += p.back();
    }
    for (int i = 0; i < 4; ++i) {
      double expected = 0;
      for (int j = begin; j < end; ++j)
        expected += p[j - begin] / sum * v(j, i);
      EXPECT_NEAR(y(t, i), expected, 1e-5);
    }
  }
}

TEST(Kernels, AttendAll) { checkAttention(0); }
TEST(Kernels, AttendWindow) { checkAttention(2); }

TEST(Kernels, QuantizeRows) {
  RowMatrix x(1, 4);
  x << 1.27f, -0.014f, 0, 0; // Group 1 is all zeros.
  RowMatrix y = quantizeRows(x, 8, 2);
  EXPECT_FLOAT_EQ(y(0, 0), 1.27f);
  EXPECT_FLOAT_EQ(y(0, 1), -0.01f);
  EXPECT_EQ(y(0, 2), 0);
  // 16 bits are finer.
  EXPECT_NEAR(quantizeRows(x, 16, 2)(0, 1), -0.014, 2e-5);
}

TEST(Kernels, QuantizeRowsTiesToEven) {
  RowMatrix x(1, 4);
  x << 127, 0.5f, 1.5f, -2.5f;
  RowMatrix y = quantizeRows(x, 8, 4);
  EXPECT_EQ(y(0, 1), 0);
  EXPECT_EQ(y(0, 2), 2);
  EXPECT_EQ(y(0, 3), -2);
}
