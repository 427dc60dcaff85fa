// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kernels of one row at a time against the formulas of the pmpd ops in double.
#include "test/lib/codegen/CompiledKernel.h"

#include <cmath>
#include <cstring>

using namespace pmpd;
using namespace pmpd::codegen;
using namespace pmpd::test;

namespace {

class Rowwise : public ForEveryMachine {
protected:
  static mlir::Type element(KernelLibrary &library, bool half) {
    mlir::Builder builder(library.getContext());
    return half ? mlir::Type(builder.getF16Type()) : builder.getF32Type();
  }
  std::mt19937 random{3};
};

constexpr int64_t rows = 3;
constexpr int64_t widths[] = {5, 64, 103};

/// Memory of f16 or f32 elements and their values.
struct Elements {
  Elements(std::vector<float> floats, bool half)
      : values(half ? throughHalves(floats) : floats), halves(toHalves(values)),
        floats(values), half(half) {}
  void *data() {
    return half ? static_cast<void *>(halves.data()) : floats.data();
  }
  float operator[](size_t i) const { return values[i]; }

  std::vector<float> values;
  Guarded<uint16_t> halves;
  Guarded<float> floats;
  bool half;
};

TEST_P(Rowwise, activations) {
  using Function = double (*)(double);
  std::pair<ActivationKind, Function> functions[] = {
      {ActivationKind::Silu, [](double x) { return x / (1 + std::exp(-x)); }},
      {ActivationKind::GeluErf,
       [](double x) { return x / 2 * std::erfc(-x / std::sqrt(2.0)); }},
      {ActivationKind::GeluTanh,
       [](double x) {
         double u = std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x);
         return x / (1 + std::exp(-2 * u));
       }},
      {ActivationKind::Relu, [](double x) { return x > 0 ? x : 0; }}};
  for (auto [kind, function] : functions)
    for (int64_t cols : widths) {
      CompiledKernel kernel(GetParam(), [kind = kind, cols](KernelLibrary &l) {
        return l.activate(cols, kind);
      });
      Guarded<float> x(randomFloats(rows * cols, random, 6));
      const float special[] = {0.0f, -0.0f, 1e-20f, -100.0f, 100.0f};
      std::copy(std::begin(special), std::end(special), x.data());
      Guarded<float> y(x.count());
      kernel.run({x.data(), y.data()}, rows);
      for (size_t i = 0; i < x.count(); ++i) {
        double expected = function(x[i]);
        // Relative, down to what f32 can hold.
        EXPECT_NEAR(y[i], expected, 4e-6 * std::fabs(expected) + 1e-37)
            << stringifyActivationKind(kind).str() << "(" << x[i] << ")";
      }
      kernel.run({x.data(), x.data()}, rows);
      EXPECT_EQ(std::memcmp(x.data(), y.data(), y.size()), 0) << "in place";
    }
}

TEST_P(Rowwise, add_and_mul) {
  for (int64_t cols : widths) {
    CompiledKernel add(GetParam(),
                       [&](KernelLibrary &l) { return l.add(cols); });
    CompiledKernel mul(GetParam(),
                       [&](KernelLibrary &l) { return l.mul(cols); });
    Guarded<float> a(randomFloats(rows * cols, random));
    Guarded<float> b(randomFloats(rows * cols, random));
    Guarded<float> sum(a.count()), product(a.count());
    add.run({a.data(), b.data(), sum.data()}, rows);
    mul.run({a.data(), b.data(), product.data()}, rows);
    for (size_t i = 0; i < a.count(); ++i) {
      EXPECT_EQ(sum[i], a[i] + b[i]);
      EXPECT_EQ(product[i], a[i] * b[i]);
    }
  }
}

TEST_P(Rowwise, embed_and_positions) {
  constexpr int64_t vocab = 9, position = 4, offset = 2;
  for (bool half : {false, true})
    for (int64_t cols : widths) {
      CompiledKernel embed(GetParam(), [&](KernelLibrary &l) {
        return l.embed(cols, element(l, half), 2.5);
      });
      CompiledKernel addPosition(GetParam(), [&](KernelLibrary &l) {
        return l.addPosition(cols, element(l, half), offset);
      });
      Elements table(randomFloats(vocab * cols, random), half);
      Guarded<int32_t> tokens(std::vector<int32_t>{8, 0, 3});
      Guarded<float> x(rows * cols), y(rows * cols);
      embed.run({tokens.data(), table.data(), x.data()}, rows);
      addPosition.run({x.data(), table.data(), y.data()}, rows, position);
      for (int64_t t = 0; t < rows; ++t)
        for (int64_t k = 0; k < cols; ++k) {
          size_t i = t * cols + k;
          EXPECT_EQ(x[i], table[tokens[t] * cols + k] * 2.5f);
          EXPECT_EQ(y[i], x[i] + table[(position + t + offset) * cols + k]);
        }
    }
}

TEST_P(Rowwise, norms) {
  constexpr double eps = 1e-5;
  for (bool half : {false, true})
    for (int64_t cols : widths) {
      CompiledKernel rms(GetParam(), [&](KernelLibrary &l) {
        return l.rmsNorm(1, cols, element(l, half), eps);
      });
      CompiledKernel layer(GetParam(), [&](KernelLibrary &l) {
        return l.layerNorm(cols, element(l, half), element(l, false), eps);
      });
      Guarded<float> x(randomFloats(rows * cols, random, 4));
      for (int64_t k = 0; k < cols; ++k)
        x[k] += 20; // far from centered
      Elements weight(randomFloats(cols, random), half);
      Elements bias(randomFloats(cols, random), false);
      Guarded<float> y(x.count()), z(x.count()), again(x.count());
      rms.run({x.data(), weight.data(), y.data()}, rows);
      layer.run({x.data(), weight.data(), bias.data(), z.data()}, rows);
      rms.runInPieces({x.data(), weight.data(), again.data()}, rows, 0, random);
      EXPECT_EQ(std::memcmp(y.data(), again.data(), y.size()), 0);
      for (int64_t t = 0; t < rows; ++t) {
        double mean = 0, square = 0, variance = 0;
        for (int64_t k = 0; k < cols; ++k) {
          double value = x[t * cols + k];
          mean += value / cols;
          square += value * value / cols;
        }
        for (int64_t k = 0; k < cols; ++k)
          variance += std::pow(x[t * cols + k] - mean, 2) / cols;
        for (int64_t k = 0; k < cols; ++k) {
          size_t i = t * cols + k;
          EXPECT_NEAR(y[i], x[i] / std::sqrt(square + eps) * weight[k], 1e-6);
          EXPECT_NEAR(z[i],
                      (x[i] - mean) / std::sqrt(variance + eps) * weight[k] +
                          bias[k],
                      1e-5);
        }
      }
    }
}

TEST_P(Rowwise, rms_norm_of_heads) {
  constexpr double eps = 1e-2;
  for (bool half : {false, true})
    for (auto [heads, cols] :
         {std::pair<int64_t, int64_t>{2, 64}, {9, 128}, {5, 24}, {3, 7}}) {
      CompiledKernel kernel(
          GetParam(), [&, heads = heads, cols = cols](KernelLibrary &l) {
            return l.rmsNorm(heads, cols, element(l, half), eps);
          });
      Guarded<float> x(randomFloats(rows * heads * cols, random));
      Elements weight(randomFloats(cols, random), half);
      Guarded<float> y(x.count()), again(x.count());
      kernel.run({x.data(), weight.data(), y.data()}, rows);
      kernel.runInPieces({x.data(), weight.data(), again.data()}, rows, 0,
                         random);
      EXPECT_EQ(std::memcmp(y.data(), again.data(), y.size()), 0);
      for (int64_t head = 0; head < rows * heads; ++head) {
        double square = 0;
        for (int64_t k = 0; k < cols; ++k)
          square += std::pow(x[head * cols + k], 2) / cols;
        for (int64_t k = 0; k < cols; ++k) {
          size_t i = head * cols + k;
          EXPECT_NEAR(y[i], x[i] / std::sqrt(square + eps) * weight[k], 1e-6);
        }
      }
    }
}

TEST_P(Rowwise, rope) {
  constexpr int64_t position = 5;
  for (RopeStyle style : {RopeStyle::Half, RopeStyle::Interleaved})
    for (auto [headDim, n] :
         {std::pair<int64_t, int64_t>{64, 32}, {80, 10}, {24, 12}, {128, 37}}) {
      constexpr int64_t heads = 3;
      int64_t cols = heads * headDim;
      RopeShape shape{heads, headDim, n, style};
      CompiledKernel kernel(GetParam(),
                            [&](KernelLibrary &l) { return l.rope(shape); });
      Guarded<float> x(randomFloats(rows * cols, random));
      Guarded<float> table(randomFloats((position + rows) * 2 * n, random));
      Guarded<float> y(x.count());
      kernel.run({x.data(), table.data(), y.data()}, rows, position);
      std::vector<double> expected(x.data(), x.data() + x.count());
      for (int64_t t = 0; t < rows; ++t)
        for (int64_t h = 0; h < heads; ++h)
          for (int64_t i = 0; i < n; ++i) {
            const float *row = table.data() + (position + t) * 2 * n;
            double c = row[i], s = row[n + i];
            double *v = expected.data() + t * cols + h * headDim;
            bool halves = style == RopeStyle::Half;
            double &a = v[halves ? i : 2 * i];
            double &b = v[halves ? i + n : 2 * i + 1];
            double first = a * c - b * s, second = b * c + a * s;
            a = first;
            b = second;
          }
      for (size_t i = 0; i < x.count(); ++i)
        EXPECT_NEAR(y[i], expected[i], 2e-7) << headDim << ", element " << i;
      kernel.run({x.data(), table.data(), x.data()}, rows, position);
      EXPECT_EQ(std::memcmp(x.data(), y.data(), y.size()), 0) << "in place";
    }
}

PMPD_FOR_EVERY_MACHINE(Rowwise);

} // namespace
