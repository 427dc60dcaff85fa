// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Quant/Half.h"
#include "lib/Quant/Quantizer.h"
#include "lib/Quant/Rotation.h"
#include "test/lib/RandomTensor.h"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>

using namespace pmpd;
using namespace pmpd::test;

namespace {

/// Long-tailed, as the weights of trained layers are.
std::vector<float> randomWeights(const NestedShape &shape, unsigned seed) {
  std::mt19937 random(seed);
  std::student_t_distribution<float> distribution(5);
  std::vector<float> weights(shape.rows * shape.cols);
  for (float &weight : weights)
    weight = 0.02f * distribution(random);
  return weights;
}

InputStatistics randomStatistics(const NestedShape &shape, unsigned seed) {
  std::mt19937 random(seed);
  std::lognormal_distribution<float> distribution(0, 1.5f);
  InputStatistics statistics;
  for (int64_t col = 0; col < shape.cols; ++col)
    statistics.meanSquare.push_back(distribution(random));
  return statistics;
}

NestedTensor quantizeWith(const char *name, const std::vector<float> &weights,
                          const InputStatistics &statistics,
                          const NestedShape &shape, unsigned threads = 2) {
  NestedTensor tensor;
  std::string error;
  EXPECT_TRUE(quantize(*findQuantizer(name), weights.data(), statistics, shape,
                       threads, tensor, error))
      << error;
  return tensor;
}

/// `shape` as the quantizer wants it: without groups, or only its last
/// precision.
NestedShape shapeFor(const QuantizerInfo &info, NestedShape shape) {
  if (info.makesCodebook)
    shape.group = 0;
  if (info.takesOnePrefix)
    shape.prefixes = {shape.bits};
  shape.rotated = info.rotatesInputs;
  return shape;
}

/// Squared error at one precision, weighted by the mean squares if there are.
double errorOf(const NestedTensor &tensor, int prefix,
               const std::vector<float> &weights,
               const InputStatistics &statistics) {
  std::vector<float> values = dequantize(tensor, prefix);
  double sum = 0;
  for (size_t i = 0; i < weights.size(); ++i) {
    double difference = values[i] - weights[i];
    sum += difference * difference *
           (statistics.meanSquare.empty()
                ? 1.0
                : statistics.meanSquare[i % tensor.shape.cols]);
  }
  return sum;
}

TEST(Half, EveryHalfSurvivesTheWayToFloatAndBack) {
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    auto half = static_cast<uint16_t>(bits);
    float value = halfToFloat(half);
    if (std::isnan(value))
      EXPECT_TRUE(std::isnan(halfToFloat(floatToHalf(value)))) << bits;
    else
      EXPECT_EQ(floatToHalf(value), half);
  }
  EXPECT_EQ(halfToFloat(0x3C00), 1.0f);
  EXPECT_EQ(halfToFloat(0x0001), 0x1p-24f);
  EXPECT_EQ(halfToFloat(0x7BFF), MaxHalf);
  EXPECT_EQ(halfToFloat(0xFC00), -std::numeric_limits<float>::infinity());
}

TEST(Half, RoundsToNearestTiesToEven) {
  for (uint16_t low = 0; low < 0x7BFF; ++low) {
    float a = halfToFloat(low), b = halfToFloat(low + 1), middle = (a + b) / 2;
    EXPECT_EQ(floatToHalf(middle), low + (low & 1));
    EXPECT_EQ(floatToHalf(std::nextafter(middle, a)), low);
    EXPECT_EQ(floatToHalf(-std::nextafter(middle, b)), 0x8000 | (low + 1));
  }
  EXPECT_EQ(floatToHalf(65519.0f), 0x7BFF);
  EXPECT_EQ(floatToHalf(65520.0f), 0x7C00);
  EXPECT_EQ(floatToHalf(1e30f), 0x7C00);
}

TEST(Quantizer, RegistryFindsByName) {
  for (const QuantizerInfo &info : quantizers())
    EXPECT_EQ(findQuantizer(info.name), &info);
  EXPECT_EQ(findQuantizer("none"), nullptr);
}

TEST(Quantizer, DiagBeatsRtnAtEveryPrecision) {
  NestedShape shape = nestedShape(64, 512, 128, {2, 3, 4});
  std::vector<float> weights = randomWeights(shape, 1);
  InputStatistics statistics = randomStatistics(shape, 2);
  NestedTensor rtn = quantizeWith("rtn", weights, statistics, shape);
  NestedTensor diag = quantizeWith("diag", weights, statistics, shape);
  for (int p = 0; p < 3; ++p)
    EXPECT_LT(errorOf(diag, p, weights, statistics),
              0.95 * errorOf(rtn, p, weights, statistics))
        << p + 2 << " bits";
}

TEST(Quantizer, MoreBitsErrLess) {
  NestedShape affine = nestedShape(32, 256, 64, {2, 3, 4});
  std::vector<float> weights = randomWeights(affine, 3);
  for (const QuantizerInfo &info : quantizers()) {
    if (info.rotatesInputs) // Spreads what it rounds over the row.
      continue;
    NestedShape shape = shapeFor(info, affine);
    NestedTensor tensor = quantizeWith(info.name.data(), weights, {}, shape);
    for (size_t p = 1; p < shape.prefixes.size(); ++p)
      EXPECT_LT(errorOf(tensor, p, weights, {}),
                0.5 * errorOf(tensor, p - 1, weights, {}))
          << info.name;
  }
}

/// One nested model costs little against a model of its own per precision.
TEST(Quantizer, NestingCostsLittle) {
  NestedShape shape = nestedShape(64, 512, 128, {2, 3, 4});
  std::vector<float> weights = randomWeights(shape, 4);
  NestedTensor nested = quantizeWith("diag", weights, {}, shape);
  for (int bits : {2, 3, 4}) {
    NestedTensor alone =
        quantizeWith("diag", weights, {}, nestedShape(64, 512, 128, {bits}));
    EXPECT_LT(errorOf(nested, bits - 2, weights, {}),
              1.25 * errorOf(alone, 0, weights, {}))
        << bits;
  }
}

TEST(Quantizer, WeightsOnA4BitGridAreRecovered) {
  NestedShape affine = nestedShape(16, 256, 128, {2, 3, 4});
  NestedTensor exact = randomTensor(affine, 5);
  std::vector<float> weights = dequantize(exact, 2);
  InputStatistics statistics = randomStatistics(affine, 6);
  for (const QuantizerInfo &info : quantizers()) {
    // One table for all groups, or no grid of the weights themselves.
    if (!info.hasKernels())
      continue;
    NestedShape shape = shapeFor(info, affine);
    NestedTensor tensor =
        quantizeWith(info.name.data(), weights, statistics, shape);
    std::vector<float> values =
        dequantize(tensor, static_cast<int>(shape.prefixes.size()) - 1);
    for (size_t i = 0; i < weights.size(); ++i)
      ASSERT_NEAR(values[i], weights[i], 2e-3) << info.name << " at " << i;
    EXPECT_EQ(tensor.codes, exact.codes) << info.name;
  }
}

TEST(Quantizer, ImportantInputsAreServedBetter) {
  NestedShape shape = nestedShape(64, 256, 128, {2, 3, 4});
  std::vector<float> weights = randomWeights(shape, 7);
  InputStatistics statistics = randomStatistics(shape, 8);
  NestedTensor with = quantizeWith("diag", weights, statistics, shape);
  NestedTensor without = quantizeWith("diag", weights, {}, shape);
  for (int p = 0; p < 3; ++p) {
    EXPECT_LT(errorOf(with, p, weights, statistics),
              errorOf(without, p, weights, statistics));
    EXPECT_GT(errorOf(with, p, weights, {}), errorOf(without, p, weights, {}));
  }
}

TEST(Quantizer, ResultDoesNotDependOnThreadsOrRowBlocks) {
  NestedShape affine = nestedShape(37, 256, 64, {2, 3, 4});
  std::vector<float> weights = randomWeights(affine, 9);
  InputStatistics statistics = randomStatistics(affine, 10);
  for (const QuantizerInfo &info : quantizers()) {
    NestedShape shape = shapeFor(info, affine);
    const char *name = info.name.data();
    NestedTensor one = quantizeWith(name, weights, statistics, shape, 1);
    for (unsigned threads : {2u, 3u, 16u, 64u}) {
      NestedTensor many =
          quantizeWith(name, weights, statistics, shape, threads);
      EXPECT_EQ(many.codes, one.codes);
      for (size_t p = 0; p < shape.prefixes.size(); ++p) {
        EXPECT_EQ(many.params[p].scale, one.params[p].scale);
        EXPECT_EQ(many.params[p].min, one.params[p].min);
        EXPECT_EQ(many.params[p].table, one.params[p].table);
      }
    }
    std::vector<float> tail(weights.begin() + 32 * 256, weights.end());
    shape.rows = 5;
    NestedTensor last = quantizeWith(name, tail, statistics, shape);
    EXPECT_TRUE(std::equal(last.codes.begin(), last.codes.end(),
                           one.codes.begin() + 32 * 256));
  }
}

TEST(Quantizer, ConstantAndTinyAndHugeGroupsStayFinite) {
  NestedShape affine = nestedShape(5, 32, 32, {2, 3, 4});
  std::vector<float> weights(5 * 32);
  for (int k = 0; k < 32; ++k) {
    weights[k] = 0;
    weights[32 + k] = 0.37f;
    weights[64 + k] = 1e-7f * k;
    weights[96 + k] = k % 2 ? MaxHalf : -MaxHalf;
    weights[128 + k] = 0x1p-149f * (k % 3);
  }
  for (const QuantizerInfo &info : quantizers()) {
    if (info.rotatesInputs) // Spreads what it rounds over the row.
      continue;
    NestedShape shape = shapeFor(info, affine);
    NestedTensor tensor = quantizeWith(info.name.data(), weights, {}, shape);
    for (int bits : shape.prefixes) {
      std::vector<float> values = dequantize(tensor, shape.prefixIndex(bits));
      for (size_t i = 0; i < values.size(); ++i) {
        double tolerance = i / 32 == 3 ? 64 : 4e-4;
        EXPECT_NEAR(values[i], weights[i], tolerance)
            << info.name << ", " << bits << " bits, weight " << i;
      }
    }
  }
}

TEST(Quantizer, WeightsThatARotationMakesTooLargeAreRefused) {
  NestedShape shape = nestedShape(1, 32, 32, {4});
  shape.rotated = true;
  std::vector<float> row(32, 0.0f);
  row[0] = 65000;
  Rotation(32).undo(row.data(), 1); // All of it in one column, once rotated.
  NestedTensor tensor;
  std::string error;
  const QuantizerInfo &info = *findQuantizer("nldlq-hadamard");
  EXPECT_TRUE(quantize(info, row.data(), {}, shape, 1, tensor, error));
  for (float &weight : row)
    weight *= 1.5f;
  EXPECT_FALSE(quantize(info, row.data(), {}, shape, 1, tensor, error));
  EXPECT_EQ(error.rfind("rotated weights: expected weights from -65504", 0), 0u)
      << error;
}

TEST(Quantizer, BadInputIsRefused) {
  NestedShape shape = nestedShape(4, 64, 32, {4});
  NestedTensor tensor;
  std::string error;
  auto refuse = [&](const std::vector<float> &weights,
                    const InputStatistics &statistics,
                    const NestedShape &shape) {
    EXPECT_FALSE(quantize(*findQuantizer("rtn"), weights.data(), statistics,
                          shape, 1, tensor, error));
    return error;
  };
  std::vector<float> weights(4 * 64);
  weights[64 * 2 + 5] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(
      refuse(weights, {}, shape),
      "expected weights from -65504 to 65504, but row 2, column 5 is nan");
  weights[64 * 1 + 63] = -std::numeric_limits<float>::infinity();
  EXPECT_EQ(
      refuse(weights, {}, shape),
      "expected weights from -65504 to 65504, but row 1, column 63 is -inf");
  weights.assign(4 * 64, 1.0f);
  EXPECT_EQ(refuse(weights, {}, nestedShape(4, 64, 48, {4})),
            "expected a group that divides the 64 columns, but got 48");
  InputStatistics statistics;
  statistics.meanSquare.assign(63, 1.0f);
  EXPECT_EQ(refuse(weights, statistics, shape),
            "expected statistics of 64 inputs, but got 63");
  statistics.meanSquare.assign(64, 1.0f);
  statistics.meanSquare[9] = -1;
  EXPECT_EQ(refuse(weights, statistics, shape),
            "expected finite mean squares of the inputs, but input 9 has "
            "-1.000000");
}

} // namespace
