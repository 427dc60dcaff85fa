// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Quant/AffineFit.h"
#include "lib/Quant/Half.h"

#include <algorithm>

using namespace pmpd;

Affine Affine::rounded(double scale, double min) {
  auto round = [](double value) {
    double finite = std::clamp<double>(value, -MaxHalf, MaxHalf);
    return halfToFloat(floatToHalf(static_cast<float>(finite)));
  };
  return {round(scale), round(min)};
}

void WeightedGroup::assign(const float *values, const float *importance,
                           int64_t count) {
  samples.resize(count);
  square = 0;
  for (int64_t i = 0; i < count; ++i) {
    float weight = importance ? importance[i] : 1.0f;
    samples[i] = {weight, weight * values[i]};
    square += static_cast<double>(samples[i].weightValue) * values[i];
  }
}

Moments::Moments(const WeightedGroup &group, const uint8_t *codes, int bits)
    : bits(bits), square(group.square) {
  for (size_t i = 0; i < group.samples.size(); ++i) {
    Sum &sum = sums[codes[i]];
    sum.weight += group.samples[i].weight;
    sum.weightValue += group.samples[i].weightValue;
  }
}

Affine Moments::fit(int prefix) const {
  double h = 0, hx = 0, hxx = 0, hv = 0, hxv = 0;
  for (int code = 0; code < 1 << bits; ++code) {
    double x = code >> (bits - prefix);
    const Sum &sum = sums[code];
    h += sum.weight;
    hx += sum.weight * x;
    hxx += sum.weight * x * x;
    hv += sum.weightValue;
    hxv += sum.weightValue * x;
  }
  // A group in which all codes are equal leaves the scale undetermined.
  double determinant = h * hxx - hx * hx;
  double scale =
      determinant > 1e-12 * h * hxx ? (h * hxv - hx * hv) / determinant : 0;
  Affine fitted = Affine::rounded(scale, 0);
  return Affine::rounded(fitted.scale, (hv - fitted.scale * hx) / h);
}

double Moments::loss(int prefix, Affine affine) const {
  double total = square;
  for (int code = 0; code < 1 << bits; ++code) {
    double value = affine.value(code >> (bits - prefix));
    total += value * (value * sums[code].weight - 2 * sums[code].weightValue);
  }
  return std::max(total, 0.0);
}

void pmpd::storeParams(Affine affine, int64_t index, NestedParams &params) {
  params.scale[index] = floatToHalf(affine.scale);
  params.min[index] = floatToHalf(affine.min);
}
