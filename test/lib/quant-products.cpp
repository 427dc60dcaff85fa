// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The quantizers that work under the products of the inputs, against dense
// linear algebra in double.
#include "lib/Quant/AffinePanel.h"
#include "lib/Quant/Multiply.h"
#include "lib/Quant/Rotation.h"
#include "test/lib/RandomTensor.h"

#include <Eigen/Cholesky>
#include <Eigen/QR>

#include <gtest/gtest.h>

using namespace pmpd;
using namespace pmpd::test;

namespace {

using Matrix =
    Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

Matrix randomMatrix(int64_t rows, int64_t cols, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal;
  return Matrix::NullaryExpr(rows, cols, [&] { return normal(random); });
}

/// Inputs that depend on one another, some of them large.
Matrix randomInputs(int64_t tokens, int64_t cols, unsigned seed) {
  Matrix inputs = randomMatrix(tokens, cols / 4, seed) *
                      randomMatrix(cols / 4, cols, seed + 1) +
                  0.5 * randomMatrix(tokens, cols, seed + 2);
  for (int64_t col = 0; col < cols; col += 9)
    inputs.col(col) *= 4;
  return inputs;
}

std::vector<float> toFloats(const Matrix &matrix) {
  std::vector<float> values(matrix.size());
  for (int64_t i = 0; i < matrix.size(); ++i)
    values[i] = static_cast<float>(matrix.data()[i]);
  return values;
}

Matrix toMatrix(const std::vector<float> &values, int64_t rows) {
  Matrix matrix(rows, values.size() / rows);
  for (size_t i = 0; i < values.size(); ++i)
    matrix.data()[i] = values[i];
  return matrix;
}

InputStatistics statisticsOf(const Matrix &inputs) {
  InputStatistics statistics;
  Matrix products = inputs.transpose() * inputs / inputs.rows();
  statistics.products = toFloats(products);
  statistics.meanSquare = toFloats(products.diagonal());
  return statistics;
}

/// Statistics of inputs that quantized layers have changed to `quantized`.
InputStatistics statisticsOf(const Matrix &inputs,
                             const std::vector<Matrix> &quantized) {
  InputStatistics statistics = statisticsOf(inputs);
  statistics.products.clear();
  for (const Matrix &changed : quantized)
    statistics.quantized.push_back(
        {statisticsOf(changed).products,
         toFloats(inputs.transpose() * changed / inputs.rows())});
  return statistics;
}

/// Relative error of the outputs at one precision.
double outputError(const NestedTensor &tensor, int prefix,
                   const Matrix &weights, const Matrix &inputs,
                   const Matrix &quantizedInputs) {
  Matrix wanted = inputs * weights.transpose();
  Matrix values = toMatrix(dequantize(tensor, prefix), weights.rows());
  return (quantizedInputs * values.transpose() - wanted).squaredNorm() /
         wanted.squaredNorm();
}

NestedTensor quantizeWith(const char *name, const Matrix &weights,
                          const InputStatistics &statistics, NestedShape shape,
                          unsigned threads = 2) {
  const QuantizerInfo &info = *findQuantizer(name);
  if (info.makesCodebook)
    shape.group = 0;
  shape.rotated = info.rotatesInputs;
  NestedTensor tensor;
  std::string error;
  EXPECT_TRUE(quantize(info, toFloats(weights).data(), statistics, shape,
                       threads, tensor, error))
      << error;
  return tensor;
}

TEST(Multiply, MatchesDoubleWhateverTheStrides) {
  for (auto [rows, depth, cols] :
       {std::array<int64_t, 3>{1, 1, 1}, {5, 130, 65}, {67, 3, 128}}) {
    Matrix a = randomMatrix(rows, depth, 1), b = randomMatrix(depth, cols, 2);
    Matrix wanted = a * b;
    std::vector<float> plainA = toFloats(a), plainB = toFloats(b);
    std::vector<float> turnedA = toFloats(a.transpose());
    std::vector<float> turnedB = toFloats(b.transpose());
    for (MatrixView left : {MatrixView{plainA.data(), depth, 1},
                            MatrixView{turnedA.data(), 1, rows}})
      for (MatrixView right : {MatrixView{plainB.data(), cols, 1},
                               MatrixView{turnedB.data(), 1, depth}}) {
        std::vector<float> out(rows * (cols + 3), -7);
        multiply(left, right, rows, depth, cols, out.data(), cols + 3);
        for (int64_t i = 0; i < rows; ++i)
          for (int64_t j = 0; j < cols + 3; ++j)
            EXPECT_NEAR(out[i * (cols + 3) + j], j < cols ? wanted(i, j) : -7,
                        1e-4);
      }
  }
}

TEST(InputProducts, FactorsGiveTheQuadraticForm) {
  NestedShape shape = nestedShape(1, 64, 64, {2});
  PrefixProducts products(shape, statisticsOf(randomInputs(300, 64, 3)),
                          /*largestFirst=*/true, /*corrects=*/true);
  Matrix h = toMatrix(products[0].matrix, 64), e = randomMatrix(1, 64, 4);
  double sum = 0;
  for (int64_t j = 0; j < 64; ++j) {
    double change = e(0, products.order[j]);
    for (int64_t k = 0; k < j; ++k)
      change -= e(0, products.order[k]) * products[0].feedback[j * 64 + k];
    sum += products[0].curvature[j] * change * change;
    if (j > 0)
      EXPECT_LE(h(products.order[j], products.order[j]),
                h(products.order[j - 1], products.order[j - 1]));
  }
  double wanted = (e * h * e.transpose())(0, 0);
  EXPECT_NEAR(sum, wanted, 1e-3 * wanted);
}

TEST(InputProducts, WhatIsNotDefiniteIsDamped) {
  InputStatistics statistics;
  statistics.products.assign(64 * 64, 3);
  for (int64_t i = 0; i < 64; ++i)
    statistics.products[i * 65] = 1;
  PrefixProducts products(nestedShape(1, 64, 64, {2}), statistics, true, true);
  for (float value : products[0].feedback)
    ASSERT_TRUE(std::isfinite(value));
  EXPECT_GT(products[0].matrix[0], 3);
}

/// Against least squares over all tokens, with damping as further tokens.
TEST(InputProducts, CorrectionIsLeastSquares) {
  constexpr int64_t Cols = 32, Tokens = 200;
  Matrix inputs = randomInputs(Tokens, Cols, 5);
  Matrix changed = inputs + 0.4 * randomMatrix(Tokens, Cols, 6);
  PrefixProducts products(nestedShape(1, Cols, Cols, {2}),
                          statisticsOf(inputs, {changed}), true, true);
  Matrix weights = randomMatrix(3, Cols, 7);
  double added = products[0].matrix[0] - changed.col(0).squaredNorm() / Tokens;
  Matrix left(Tokens + Cols, Cols), right(Tokens + Cols, 3);
  left << changed / std::sqrt(Tokens),
      std::sqrt(added) * Matrix::Identity(Cols, Cols);
  right << inputs * weights.transpose() / std::sqrt(Tokens),
      std::sqrt(added) * weights.transpose();
  Matrix wanted = left.colPivHouseholderQr().solve(right).transpose();
  Matrix found = weights * toMatrix(products[0].correction, Cols).transpose();
  EXPECT_LT((found - wanted).norm(), 2e-3 * wanted.norm());
}

/// Column by column in double, as the definition has it.
TEST(AffinePanel, RoundingMatchesTheDefinition) {
  constexpr int64_t Cols = 64, Group = 32;
  NestedShape shape = nestedShape(Lanes, Cols, Group, {2, 3, 4});
  Matrix inputs = randomInputs(400, Cols, 8);
  InputStatistics statistics = statisticsOf(
      inputs, {inputs + 0.3 * randomMatrix(400, Cols, 9),
               inputs + 0.2 * randomMatrix(400, Cols, 10), inputs});
  PrefixProducts products(shape, statistics, true, true);
  Matrix weights = randomMatrix(Lanes, Cols, 11);
  AffinePanel panel(products, shape);
  panel.load(toFloats(weights).data(), Lanes);
  panel.loadCodes(quantizeWith("diag", weights, statistics, shape), 0, Lanes);
  panel.computeGradient();
  panel.balance(2);
  panel.roundWithFeedback(Group, nullptr);

  int same = 0;
  for (int lane = 0; lane < Lanes; ++lane) {
    std::array<std::array<double, Cols>, 3> change{};
    bool equal = true;
    for (int64_t j = 0; j < Cols; ++j) {
      int64_t col = products.order[j];
      double least = 1e300;
      int best = 0;
      std::array<double, 3> target;
      for (int p = 0; p < 3; ++p) {
        target[p] = panel.weights[p][col][lane];
        for (int64_t k = 0; k < j; ++k)
          target[p] += products[p].feedback[j * Cols + k] * change[p][k];
      }
      for (int code = 0; code < 16; ++code) {
        double cost = 0;
        for (int p = 0; p < 3; ++p) {
          double error = panel.affine[p][col / Group * Lanes + lane].value(
                             code >> (2 - p)) -
                         target[p];
          cost += panel.importance[p][lane] * products[p].curvature[j] * error *
                  error;
        }
        if (cost < least) {
          least = cost;
          best = code;
        }
      }
      for (int p = 0; p < 3; ++p)
        change[p][j] =
            panel.affine[p][col / Group * Lanes + lane].value(best >> (2 - p)) -
            panel.weights[p][col][lane];
      equal &= panel.codesOf(col)[lane] == best;
    }
    same += equal;
  }
  EXPECT_GE(same, Lanes - 2) << "but for ties in float";
}

/// Loss of one row at one precision from the panel's values, in double.
double lossOf(const AffinePanel &panel, const PrefixProducts &products, int p,
              int lane) {
  int64_t cols = panel.cols;
  Eigen::VectorXd error(cols);
  for (int64_t col = 0; col < cols; ++col)
    error(col) = panel.values[p][col][lane] - panel.weights[p][col][lane];
  return error.dot(toMatrix(products[p].matrix, cols) * error);
}

TEST(AffinePanel, SweepsLowerTheLossAndRefitsAreLeastSquares) {
  constexpr int64_t Cols = 64;
  NestedShape shape = nestedShape(Lanes, Cols, Cols, {2, 4});
  InputStatistics statistics = statisticsOf(randomInputs(400, Cols, 12));
  PrefixProducts products(shape, statistics, true, true);
  Matrix weights = randomMatrix(Lanes, Cols, 13);
  AffinePanel panel(products, shape);
  panel.load(toFloats(weights).data(), Lanes);
  panel.loadCodes(quantizeWith("diag", weights, statistics, shape), 0, Lanes);
  panel.computeGradient();
  panel.balance(1);
  std::array<double, Lanes> before{};
  auto sumLosses = [&](int lane) {
    return panel.importance[0][lane] * lossOf(panel, products, 0, lane) +
           panel.importance[1][lane] * lossOf(panel, products, 1, lane);
  };
  for (int lane = 0; lane < Lanes; ++lane)
    before[lane] = sumLosses(lane);
  panel.improveCodes(0, Cols);
  double gained = 0;
  for (int lane = 0; lane < Lanes; ++lane) {
    double after = sumLosses(lane);
    EXPECT_LE(after, before[lane] * (1 + 1e-4));
    gained += 1 - after / before[lane];
  }
  EXPECT_GT(gained, 0.1 * Lanes);

  panel.refit(0);
  panel.applyChanges(0, Cols);
  Matrix h = toMatrix(products[0].matrix, Cols);
  Matrix root = h.llt().matrixU();
  for (int lane = 0; lane < Lanes; ++lane)
    for (int p = 0; p < 2; ++p) {
      Matrix basis = Matrix::Ones(Cols, 2);
      Eigen::VectorXd target(Cols);
      for (int64_t col = 0; col < Cols; ++col) {
        basis(col, 0) = panel.codesOf(col)[lane] >> panel.shape.shift[p];
        target(col) = weights(lane, col);
      }
      Eigen::VectorXd fitted =
          (root * basis).colPivHouseholderQr().solve(root * target);
      double least = (root * (basis * fitted - target)).squaredNorm();
      EXPECT_NEAR(lossOf(panel, products, p, lane), least, 2e-3 * least);
      EXPECT_NEAR(panel.loss(p)[lane], least, 5e-3 * least);
    }
}

struct Layer {
  static constexpr int64_t Rows = 48, Cols = 256, Group = 64, Tokens = 1024;
  Matrix weights = randomMatrix(Rows, Cols, 20);
  Matrix inputs = randomInputs(2 * Tokens, Cols, 21);
  Matrix seen = inputs.topRows(Tokens), unseen = inputs.bottomRows(Tokens);
  NestedShape shape = nestedShape(Rows, Cols, Group, {2, 3, 4});
  InputStatistics statistics = statisticsOf(seen);

  double error(const NestedTensor &tensor, int prefix) const {
    return outputError(tensor, prefix, weights, unseen, unseen);
  }
};

TEST(Nldlq, OneNestedModelIsNoWorseThanGptqAtEveryWidth) {
  Layer layer;
  NestedTensor nested =
      quantizeWith("nldlq", layer.weights, layer.statistics, layer.shape);
  NestedTensor diag =
      quantizeWith("diag", layer.weights, layer.statistics, layer.shape);
  for (int bits : {2, 3, 4}) {
    NestedTensor alone = quantizeWith(
        "gptq", layer.weights, layer.statistics,
        nestedShape(Layer::Rows, Layer::Cols, Layer::Group, {bits}));
    EXPECT_LT(layer.error(nested, bits - 2), 1.02 * layer.error(alone, 0))
        << bits << " bits";
    EXPECT_LT(layer.error(nested, bits - 2), 0.8 * layer.error(diag, bits - 2))
        << bits << " bits";
  }
}

TEST(Nldlq, TablesBeatThoseOfAnyPrecision) {
  Layer layer;
  NestedTensor nested = quantizeWith("nldlq-codebook", layer.weights,
                                     layer.statistics, layer.shape);
  NestedTensor clusters =
      quantizeWith("anyprec", layer.weights, layer.statistics, layer.shape);
  for (int p = 0; p < 3; ++p)
    EXPECT_LT(layer.error(nested, p), 0.8 * layer.error(clusters, p)) << p + 2;
}

TEST(Rotation, IsOrthogonalOverBlocksOfAPowerOfTwo) {
  for (int64_t cols : {1, 3, 96, 256, 768}) {
    Rotation rotation(cols);
    Matrix unit = Matrix::Identity(cols, cols);
    std::vector<float> rows = toFloats(unit);
    rotation.apply(rows.data(), cols);
    Matrix r = toMatrix(rows, cols);
    EXPECT_LT((r * r.transpose() - unit).norm(), 1e-4) << cols;
    // 96 columns have blocks of 32, whose elements are all alike in size.
    EXPECT_NEAR(r.cwiseAbs().maxCoeff(), 1 / std::sqrt(double(cols & -cols)),
                1e-6);
    rotation.undo(rows.data(), cols);
    EXPECT_LT((toMatrix(rows, cols) - unit).norm(), 1e-4) << cols;
  }
}

TEST(Rotation, StatisticsAreThoseOfRotatedInputs) {
  Layer layer;
  Matrix changed = layer.seen + randomMatrix(Layer::Tokens, Layer::Cols, 31);
  Rotation rotation(Layer::Cols);
  auto rotated = [&](const Matrix &inputs) {
    std::vector<float> rows = toFloats(inputs);
    rotation.apply(rows.data(), inputs.rows());
    return toMatrix(rows, inputs.rows());
  };
  InputStatistics wanted =
      statisticsOf(rotated(layer.seen), {rotated(changed)});
  InputStatistics got = rotation.apply(statisticsOf(layer.seen, {changed}));
  auto expectNear = [](const std::vector<float> &a,
                       const std::vector<float> &b) {
    Matrix first = toMatrix(a, Layer::Cols), second = toMatrix(b, Layer::Cols);
    EXPECT_LT((first - second).norm(), 1e-5 * second.norm());
  };
  expectNear(got.quantized[0].products, wanted.quantized[0].products);
  expectNear(got.quantized[0].cross, wanted.quantized[0].cross);
  expectNear(rotation.apply(layer.statistics).products,
             statisticsOf(rotated(layer.seen)).products);
}

TEST(Nldlq, RotationsServeWeightsWithOutliers) {
  Layer layer;
  for (int64_t row = 0; row < Layer::Rows; ++row)
    for (int64_t col = row % 16; col < Layer::Cols; col += 16)
      layer.weights(row, col) *= 6;
  NestedTensor plain =
      quantizeWith("nldlq", layer.weights, layer.statistics, layer.shape);
  NestedTensor rotated = quantizeWith("nldlq-hadamard", layer.weights,
                                      layer.statistics, layer.shape);
  for (int p = 0; p < 3; ++p)
    EXPECT_LT(layer.error(rotated, p), 0.8 * layer.error(plain, p))
        << p + 2 << " bits";
}

TEST(Nldlq, MakesUpForChangedInputs) {
  Layer layer;
  std::vector<Matrix> seen, unseen;
  for (double noise : {8.0, 6.0, 4.0}) {
    Matrix changed =
        layer.inputs + noise * randomMatrix(2 * Layer::Tokens, Layer::Cols, 22);
    seen.push_back(changed.topRows(Layer::Tokens));
    unseen.push_back(changed.bottomRows(Layer::Tokens));
  }
  InputStatistics statistics = statisticsOf(layer.seen, seen);
  NestedTensor with =
      quantizeWith("nldlq", layer.weights, statistics, layer.shape);
  NestedTensor without =
      quantizeWith("nldlq", layer.weights, layer.statistics, layer.shape);
  for (int p = 0; p < 3; ++p)
    EXPECT_LT(
        outputError(with, p, layer.weights, layer.unseen, unseen[p]),
        0.9 * outputError(without, p, layer.weights, layer.unseen, unseen[p]))
        << p + 2 << " bits";
}

TEST(Nldlq, ResultDoesNotDependOnThreads) {
  Layer layer;
  for (const char *name : {"nldlq", "nldlq-codebook"}) {
    NestedTensor one =
        quantizeWith(name, layer.weights, layer.statistics, layer.shape, 1);
    for (unsigned threads : {2u, 5u}) {
      NestedTensor many = quantizeWith(name, layer.weights, layer.statistics,
                                       layer.shape, threads);
      EXPECT_EQ(many.codes, one.codes) << name;
      for (int p = 0; p < 3; ++p) {
        EXPECT_EQ(many.params[p].scale, one.params[p].scale) << name;
        EXPECT_EQ(many.params[p].table, one.params[p].table) << name;
      }
    }
  }
}

TEST(Nldlq, BadStatisticsAreRefused) {
  Layer layer;
  NestedTensor tensor;
  std::string error;
  auto refuse = [&](const InputStatistics &statistics, NestedShape shape,
                    const char *name) {
    EXPECT_FALSE(quantize(*findQuantizer(name), toFloats(layer.weights).data(),
                          statistics, shape, 1, tensor, error));
    return error;
  };
  InputStatistics statistics = layer.statistics;
  statistics.products.pop_back();
  EXPECT_EQ(refuse(statistics, layer.shape, "nldlq"),
            "expected products of 256 inputs, but got 65535 numbers");
  statistics = layer.statistics;
  statistics.products[5] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(refuse(statistics, layer.shape, "nldlq"),
            "expected finite products of the inputs");
  statistics = statisticsOf(layer.seen, {layer.seen});
  EXPECT_EQ(refuse(statistics, layer.shape, "nldlq"),
            "expected products at 3 precisions, but got 1");
  EXPECT_EQ(refuse(layer.statistics, layer.shape, "gptq"),
            "expected weights of one precision for quantizer gptq, but got 3; "
            "choose one, or quantizer nldlq");
  EXPECT_EQ(refuse(layer.statistics, layer.shape, "anyprec"),
            "expected no group for quantizer anyprec, but got 64");
}

} // namespace
