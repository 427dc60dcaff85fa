// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Quant/AffinePanel.h"

#include <algorithm>
#include <limits>

using namespace pmpd;

namespace {

/// GPTQ: uniform codes of one precision, columns in their order, the grid of a
/// group laid over its weights as the errors before have moved them. Of grids
/// over parts of the range the one with least squared error is taken, which
/// 2 bits cannot do without.
/// Source: arXiv:2210.17323.
class GptqQuantizer : public RowQuantizer {
public:
  GptqQuantizer(const NestedShape &shape, const InputStatistics &statistics)
      : shape(shape), products(shape, statistics, /*largestFirst=*/false,
                               /*corrects=*/false) {}

  void quantizeRows(const float *weights, int64_t begin, int64_t end,
                    NestedTensor &out) const override;

private:
  Affine findGrid(const std::vector<float> &values) const;

  NestedShape shape;
  PrefixProducts products;
};

} // namespace

Affine GptqQuantizer::findGrid(const std::vector<float> &values) const {
  auto [low, high] = std::minmax_element(values.begin(), values.end());
  float last = static_cast<float>((1 << shape.bits) - 1);
  Affine best;
  double least = std::numeric_limits<double>::infinity();
  for (float reach = 1; reach > 0.3f; reach -= 0.02f) {
    Affine grid = Affine::rounded(reach * (*high - *low) / last, reach * *low);
    float inverse = grid.scale > 0 ? 1 / grid.scale : 0;
    double error = 0;
    for (float value : values) {
      float code = std::clamp((value - grid.min) * inverse, 0.0f, last);
      double difference = grid.value(static_cast<int>(code + 0.5f)) - value;
      error += difference * difference;
    }
    if (error < least) {
      least = error;
      best = grid;
    }
  }
  return best;
}

void GptqQuantizer::quantizeRows(const float *weights, int64_t begin,
                                 int64_t end, NestedTensor &out) const {
  AffinePanel panel(products, shape);
  std::vector<float> values(shape.group);
  for (int64_t first = begin; first < end; first += Lanes) {
    int64_t count = std::min<int64_t>(Lanes, end - first);
    panel.load(weights + first * shape.cols, count);
    panel.roundWithFeedback(shape.group, [&](int64_t from, int64_t to) {
      for (int lane = 0; lane < Lanes; ++lane) {
        for (int64_t i = from; i < to; ++i)
          values[i - from] = panel.targets[0][i][lane];
        panel.affine[0][from / shape.group * Lanes + lane] = findGrid(values);
      }
      panel.fillTable(from / shape.group);
    });
    panel.storeCodes(out, first, count);
  }
}

std::unique_ptr<RowQuantizer>
pmpd::createGptqQuantizer(const NestedShape &shape,
                          const InputStatistics &statistics) {
  return std::make_unique<GptqQuantizer>(shape, statistics);
}
