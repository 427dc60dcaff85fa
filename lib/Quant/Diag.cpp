// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Quant/AffineFit.h"

#include <algorithm>
#include <limits>
#include <numeric>

using namespace pmpd;

// The first grid spans the whole range, so that weights which lie on one are
// found exactly; the narrower ones suit 2 bits, which cannot afford outliers.
static constexpr float GridReaches[] = {1.0f, 0.8f, 0.6f};
static constexpr int MaxTurns = 10;
// 2 bits lose most and a schedule spends most tokens there.
static constexpr double TwoBitBoost = 4;

namespace {

/// Gives every weight of a group the code that serves all precisions best and
/// every precision the (scale, min) that serve these codes best, in turns:
///   code[k] = argmin_c sum_b lambda_b (scale_b (c >> (B-b)) + min_b - w[k])^2
///   (scale, min)_b = argmin sum_k h[k] (scale code_b[k] + min - w[k])^2
/// with h the mean square of the inputs and lambda_b what makes the errors of
/// the precisions comparable. Both steps lower the same sum; where they end
/// depends on the start, so several are tried.
class DiagQuantizer : public RowQuantizer {
public:
  DiagQuantizer(const NestedShape &shape, const InputStatistics &statistics);

  void quantizeRows(const float *weights, int64_t begin, int64_t end,
                    NestedTensor &out) const override;

private:
  using PerPrefix = std::array<double, PMPD_MAX_PREFIXES>;
  using Thresholds = std::array<float, MaxCodes - 1>;
  struct Group;
  void quantizeGroup(Group &group, int64_t index, NestedTensor &out) const;
  void setUniformCodes(Group &group, float reach) const;
  Thresholds findThresholds(const Group &group, const PerPrefix &lambda) const;
  bool chooseCodes(Group &group, const PerPrefix &lambda) const;
  void fit(Group &group) const;
  PerPrefix balance(const Group &group) const;

  NestedShape shape;
  std::vector<float> importance; // [cols], mean 1
};

/// The group that a thread works on.
struct DiagQuantizer::Group {
  WeightedGroup weighted;
  float low, high;             // extremes of the values
  std::vector<float> centered; // [group], values less the middle of the range
  std::vector<uint8_t> codes;  // [group]
  std::array<Affine, PMPD_MAX_PREFIXES> affine{};
  PerPrefix loss{}; // weighted squared error

  double middle() const { return (static_cast<double>(low) + high) / 2; }
};

} // namespace

DiagQuantizer::DiagQuantizer(const NestedShape &shape,
                             const InputStatistics &statistics)
    : shape(shape), importance(shape.cols, 1.0f) {
  const std::vector<float> &squares = statistics.meanSquare;
  double mean =
      std::accumulate(squares.begin(), squares.end(), 0.0) / shape.cols;
  if (mean == 0)
    return;
  // Inputs that calibration never saw still count a little.
  for (int64_t col = 0; col < shape.cols; ++col)
    importance[col] = static_cast<float>(squares[col] / mean + 0.01);
}

void DiagQuantizer::quantizeRows(const float *weights, int64_t begin,
                                 int64_t end, NestedTensor &out) const {
  Group group;
  group.centered.resize(shape.group);
  group.codes.resize(shape.group);
  for (int64_t i = begin * shape.groups(); i < end * shape.groups(); ++i) {
    const float *values = weights + i * shape.group;
    group.weighted.assign(values,
                          importance.data() + i % shape.groups() * shape.group,
                          shape.group);
    auto [low, high] = std::minmax_element(values, values + shape.group);
    group.low = *low;
    group.high = *high;
    for (int64_t k = 0; k < shape.group; ++k)
      group.centered[k] = static_cast<float>(values[k] - group.middle());
    quantizeGroup(group, i, out);
  }
}

void DiagQuantizer::quantizeGroup(Group &group, int64_t index,
                                  NestedTensor &out) const {
  PerPrefix lambda{};
  double best = std::numeric_limits<double>::infinity();
  for (float reach : GridReaches) {
    setUniformCodes(group, reach);
    fit(group);
    if (reach == GridReaches[0])
      lambda = balance(group);
    for (int turn = 0; turn < MaxTurns && chooseCodes(group, lambda); ++turn)
      fit(group);

    double total = std::inner_product(group.loss.begin(), group.loss.end(),
                                      lambda.begin(), 0.0);
    if (total >= best)
      continue;
    best = total;
    std::copy(group.codes.begin(), group.codes.end(),
              out.codes.begin() + index * shape.group);
    for (size_t p = 0; p < shape.prefixes.size(); ++p)
      storeParams(group.affine[p], index, out.params[p]);
  }
}

/// Rounds to a uniform grid over the middle `reach` of the range.
void DiagQuantizer::setUniformCodes(Group &group, float reach) const {
  float last = static_cast<float>((1 << shape.bits) - 1);
  float span = reach * (group.high - group.low);
  // The inverse of less would overflow; halves end at 2^-24 anyway.
  float inverse = span > 0x1p-100f ? last / span : 0;
  for (int64_t k = 0; k < shape.group; ++k) {
    float code = std::clamp(group.centered[k] * inverse + last / 2, 0.0f, last);
    group.codes[k] = static_cast<uint8_t>(code + 0.5f);
  }
}

/// The fitting step.
void DiagQuantizer::fit(Group &group) const {
  Moments moments(group.weighted, group.codes.data(), shape.bits);
  for (size_t p = 0; p < shape.prefixes.size(); ++p) {
    group.affine[p] = moments.fit(shape.prefixes[p]);
    group.loss[p] = moments.loss(shape.prefixes[p], group.affine[p]);
  }
}

/// Weights of the precisions: inverse to their errors, with a sum of 1.
DiagQuantizer::PerPrefix DiagQuantizer::balance(const Group &group) const {
  // An exact precision outweighs the others, but within float's reach.
  double least = std::max(
      1e-5 * *std::max_element(group.loss.begin(), group.loss.end()), 1e-30);
  PerPrefix lambda{};
  for (size_t p = 0; p < shape.prefixes.size(); ++p)
    lambda[p] = (shape.prefixes[p] == 2 ? TwoBitBoost : 1) /
                std::max(group.loss[p], least);
  double sum = std::accumulate(lambda.begin(), lambda.end(), 0.0);
  for (double &value : lambda)
    value /= sum;
  return lambda;
}

/// Where, going up from minus infinity, the best code becomes at least c + 1.
/// Less what all codes share, code c costs square[c] - slope[c] * w: lines, of
/// which the cheapest at every w form an envelope.
DiagQuantizer::Thresholds
DiagQuantizer::findThresholds(const Group &group,
                              const PerPrefix &lambda) const {
  struct Line {
    int code;
    double square, slope, from;
  };
  std::array<Line, MaxCodes> envelope;
  int size = 0;
  for (int code = 0; code < 1 << shape.bits; ++code) {
    Line line = {code, 0, 0, -std::numeric_limits<double>::infinity()};
    for (size_t p = 0; p < shape.prefixes.size(); ++p) {
      int shift = shape.bits - shape.prefixes[p];
      double value = group.affine[p].value(code >> shift) - group.middle();
      line.square += lambda[p] * value * value;
      line.slope += 2 * lambda[p] * value;
    }
    // Scales are not negative, so only a slope equal to the last one can come.
    if (size > 0 && line.slope <= envelope[size - 1].slope)
      continue;
    for (; size > 0; --size) {
      const Line &last = envelope[size - 1];
      line.from = (line.square - last.square) / (line.slope - last.slope);
      if (line.from > last.from)
        break;
    }
    envelope[size++] = line;
  }

  Thresholds thresholds;
  thresholds.fill(std::numeric_limits<float>::infinity());
  for (int i = 0, code = 0; i < size; ++i)
    for (; code < envelope[i].code; ++code)
      thresholds[code] = static_cast<float>(envelope[i].from);
  return thresholds;
}

/// The choosing step. Returns whether a code changed.
bool DiagQuantizer::chooseCodes(Group &group, const PerPrefix &lambda) const {
  // Bytes may alias anything, so only copies let the loop vectorize.
  const Thresholds thresholds = findThresholds(group, lambda);
  const int64_t count = shape.group;
  const float *values = group.centered.data();
  uint8_t *codes = group.codes.data();
  int changed = 0;
  for (int64_t k = 0; k < count; ++k) {
    int code = 0;
    for (float threshold : thresholds)
      code += values[k] > threshold;
    changed |= code ^ codes[k];
    codes[k] = static_cast<uint8_t>(code);
  }
  return changed != 0;
}

std::unique_ptr<RowQuantizer>
pmpd::createDiagQuantizer(const NestedShape &shape,
                          const InputStatistics &statistics) {
  return std::make_unique<DiagQuantizer>(shape, statistics);
}
