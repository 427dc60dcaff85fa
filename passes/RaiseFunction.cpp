// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Functions of one number are told apart by their values, so it does not matter
// which operators an exporter spells them with.
#include "passes/RaiseMeaning.h"

#include <cmath>

using namespace pmpd;
using namespace pmpd::raise;

// Neither symmetric nor round, so that no two functions of interest agree.
static constexpr double samples[] = {-9.3, -4.1, -2.6, -1.7, -0.83, -0.31,
                                     0.0,  0.17, 0.46, 0.92, 1.37,  2.2,
                                     3.1,  4.7,  7.9,  12.25};

Function pmpd::raise::compose(Function outer, Function inner) {
  if (!inner)
    return outer;
  return [outer, inner](double x) { return outer(inner(x)); };
}

template <typename Reference>
static double getError(const Function &function, Reference reference) {
  double worst = 0;
  for (double x : samples) {
    double error = std::abs(call(function, x) - reference(x)) /
                   std::max(1.0, std::abs(reference(x)));
    worst = std::isnan(error) ? INFINITY : std::max(worst, error);
  }
  return worst;
}

std::optional<double> pmpd::raise::getScale(const Function &function) {
  double scale = call(function, 1.0);
  if (!std::isfinite(scale) || scale == 0 ||
      getError(function, [&](double x) { return scale * x; }) > 1e-9)
    return std::nullopt;
  return scale;
}

bool pmpd::raise::isSquare(const Function &function) {
  return getError(function, [](double x) { return x * x; }) < 1e-9;
}

std::optional<ActivationKind>
pmpd::raise::classifyActivation(const Function &function) {
  const std::pair<ActivationKind, Function> known[] = {
      {ActivationKind::Silu, [](double x) { return x / (1 + std::exp(-x)); }},
      {ActivationKind::GeluTanh,
       [](double x) {
         double inner = std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x);
         return x / 2 * (1 + std::tanh(inner));
       }},
      {ActivationKind::GeluErf,
       [](double x) { return x / 2 * (1 + std::erf(x * M_SQRT1_2)); }},
      {ActivationKind::Relu, [](double x) { return x < 0 ? 0 : x; }}};
  // The two forms of gelu differ by 5e-4, constants in half precision by less.
  constexpr double tolerance = 2e-4;
  for (const auto &[kind, reference] : known)
    if (getError(function, reference) < tolerance)
      return kind;
  return std::nullopt;
}

double pmpd::raise::snapToSingle(double x) {
  double single = static_cast<float>(x);
  return std::abs(single - x) <= 1e-11 * std::abs(x) ? single : x;
}

std::optional<double> pmpd::raise::getInverseRootEps(const Function &function) {
  double eps = snapToSingle(1 / std::pow(call(function, 0.0), 2));
  if (!std::isfinite(eps) || eps <= 0)
    return std::nullopt;
  for (double x : {1e-4, 0.03, 0.7, 1.0, 19.0, 400.0})
    if (std::abs(call(function, x) * std::sqrt(x + eps) - 1) > 1e-9)
      return std::nullopt;
  return eps;
}
