// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Reference/Kernels.h"
#include "lib/Quant/Half.h"

#include <cmath>

using namespace pmpd;

RowMatrix pmpd::rmsNorm(const RowMatrix &input,
                        const std::vector<float> &weight, double eps) {
  RowMatrix result(input.rows(), input.cols());
  int64_t cols = weight.size();
  for (int64_t t = 0; t < input.rows(); ++t)
    for (int64_t first = 0; first < input.cols(); first += cols) {
      auto x = input.row(t).segment(first, cols);
      double mean = x.cast<double>().squaredNorm() / cols;
      double factor = 1 / std::sqrt(mean + eps);
      for (int64_t k = 0; k < cols; ++k)
        result(t, first + k) = x[k] * factor * weight[k];
    }
  return result;
}

RowMatrix pmpd::layerNorm(const RowMatrix &input,
                          const std::vector<float> &weight,
                          const std::vector<float> &bias, double eps) {
  RowMatrix result(input.rows(), input.cols());
  for (int64_t t = 0; t < input.rows(); ++t) {
    Eigen::RowVectorXd centred = input.row(t).cast<double>();
    centred.array() -= centred.mean();
    double variance = centred.squaredNorm() / input.cols();
    double factor = 1 / std::sqrt(variance + eps);
    for (int64_t k = 0; k < input.cols(); ++k)
      result(t, k) = centred(k) * factor * weight[k] + bias[k];
  }
  return result;
}

static double activateOne(double x, ActivationKind kind) {
  switch (kind) {
  case ActivationKind::Silu:
    return x / (1 + std::exp(-x));
  case ActivationKind::GeluErf:
    return x / 2 * (1 + std::erf(x * M_SQRT1_2));
  case ActivationKind::GeluTanh:
    return x / 2 *
           (1 + std::tanh(std::sqrt(M_2_PI) * (x + 0.044715 * x * x * x)));
  case ActivationKind::Relu:
    return std::max(x, 0.0);
  }
  llvm_unreachable("unknown activation");
}

RowMatrix pmpd::activate(const RowMatrix &input, ActivationKind kind) {
  return input.unaryExpr(
      [kind](float x) { return static_cast<float>(activateOne(x, kind)); });
}

RowMatrix pmpd::rotate(const RowMatrix &input, const std::vector<float> &table,
                       int64_t n, RopeStyle style, int64_t heads,
                       int64_t position) {
  RowMatrix result = input;
  int64_t dim = input.cols() / heads;
  for (int64_t t = 0; t < input.rows(); ++t)
    for (int64_t head = 0; head < heads; ++head)
      for (int64_t i = 0; i < n; ++i) {
        const float *cosines = &table[(position + t) * 2 * n];
        const float *sines = cosines + n;
        bool half = style == RopeStyle::Half;
        int64_t first = head * dim + (half ? i : 2 * i);
        int64_t second = first + (half ? n : 1);
        float x = input(t, first), y = input(t, second);
        result(t, first) = x * cosines[i] - y * sines[i];
        result(t, second) = y * cosines[i] + x * sines[i];
      }
  return result;
}

RowMatrix pmpd::attend(const RowMatrix &query, const RowMatrix &keys,
                       const RowMatrix &values, double scale, int64_t position,
                       int64_t window) {
  RowMatrix weights = RowMatrix::Zero(query.rows(), keys.rows());
  for (int64_t t = 0; t < query.rows(); ++t) {
    int64_t end = position + t + 1;
    int64_t begin = window ? std::max<int64_t>(0, end - window) : 0;
    Eigen::VectorXd scores =
        scale * (keys.middleRows(begin, end - begin) * query.row(t).transpose())
                    .cast<double>();
    scores = (scores.array() - scores.maxCoeff()).exp();
    weights.row(t).segment(begin, end - begin) =
        (scores / scores.sum()).cast<float>();
  }
  return weights * values;
}

RowMatrix pmpd::quantizeRows(const RowMatrix &input, unsigned bits,
                             int64_t group) {
  RowMatrix result(input.rows(), input.cols());
  float limit = bits == 8 ? 127 : 32639;
  for (int64_t t = 0; t < input.rows(); ++t)
    for (int64_t begin = 0; begin < input.cols(); begin += group) {
      auto values = input.row(t).segment(begin, group);
      float scale = values.cwiseAbs().maxCoeff() / limit;
      for (int64_t k = 0; k < group; ++k)
        result(t, begin + k) =
            scale == 0 ? 0 : scale * std::nearbyint(values(k) / scale);
    }
  return result;
}

RowMatrix pmpd::roundToHalf(const RowMatrix &input) {
  return input.unaryExpr(
      [](float value) { return halfToFloat(floatToHalf(value)); });
}
