// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Quant/Nldlq.h"
#include "lib/Quant/AffinePanel.h"

#include <algorithm>
#include <optional>

using namespace pmpd;

namespace {

/// Nested LDLQ with affine groups. Starts from diag; rounds column by column,
/// each precision with an error state of its own and one code for all; then
/// lowers sum_b lambda_b e_b H e_b^T by single codes and by the parameters of
/// single groups, in turns.
class NldlqQuantizer : public RowQuantizer {
public:
  NldlqQuantizer(const NestedShape &shape, const InputStatistics &statistics)
      : shape(shape), start(createDiagQuantizer(shape, statistics)) {
    // Without them there is nothing that errors could make up for.
    if (statistics.hasProducts())
      products.emplace(shape, statistics, /*largestFirst=*/true,
                       /*corrects=*/true);
  }

  void quantizeRows(const float *weights, int64_t begin, int64_t end,
                    NestedTensor &out) const override;

private:
  void improve(AffinePanel &panel) const;

  NestedShape shape;
  std::unique_ptr<RowQuantizer> start;
  std::optional<PrefixProducts> products;
};

} // namespace

void NldlqQuantizer::improve(AffinePanel &panel) const {
  panel.computeGradient();
  for (int round = 0; round < nldlq::Rounds; ++round) {
    panel.balance(nldlq::TwoBitBoost);
    panel.roundWithFeedback(nldlq::BlockCols, nullptr);
    panel.computeGradient();
    for (int sweep = 0; sweep < nldlq::Sweeps; ++sweep) {
      panel.balance(nldlq::TwoBitBoost);
      for (int64_t g = 0; g < shape.groups(); ++g) {
        panel.improveCodes(g * shape.group, shape.group);
        panel.refit(g);
        panel.applyChanges(g * shape.group, shape.group);
      }
    }
  }
}

void NldlqQuantizer::quantizeRows(const float *weights, int64_t begin,
                                  int64_t end, NestedTensor &out) const {
  start->quantizeRows(weights, begin, end, out);
  if (!products)
    return;
  AffinePanel panel(*products, shape);
  for (int64_t first = begin; first < end; first += Lanes) {
    int64_t count = std::min<int64_t>(Lanes, end - first);
    panel.load(weights + first * shape.cols, count);
    panel.loadCodes(out, first, count);
    improve(panel);
    panel.storeCodes(out, first, count);
  }
}

std::unique_ptr<RowQuantizer>
pmpd::createNldlqQuantizer(const NestedShape &shape,
                           const InputStatistics &statistics) {
  return std::make_unique<NldlqQuantizer>(shape, statistics);
}
