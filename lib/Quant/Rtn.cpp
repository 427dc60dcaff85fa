// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Quant/AffineFit.h"

#include <algorithm>

using namespace pmpd;

namespace {

/// Rounds to nearest on the uniform grid between the extremes of a group.
/// Lower precisions truncate these codes and fit their own parameters.
class RtnQuantizer : public RowQuantizer {
public:
  explicit RtnQuantizer(const NestedShape &shape) : shape(shape) {}

  void quantizeRows(const float *weights, int64_t begin, int64_t end,
                    NestedTensor &out) const override {
    WeightedGroup group;
    for (int64_t g = begin * shape.groups(); g < end * shape.groups(); ++g)
      quantizeGroup(group, weights + g * shape.group, g, out);
  }

private:
  void quantizeGroup(WeightedGroup &group, const float *values, int64_t g,
                     NestedTensor &out) const {
    uint8_t *codes = out.codes.data() + g * shape.group;
    int last = (1 << shape.bits) - 1;
    auto [low, high] = std::minmax_element(values, values + shape.group);
    Affine grid = Affine::rounded((*high - *low) / last, *low);
    float inverse = grid.scale > 0 ? 1 / grid.scale : 0;
    for (int64_t i = 0; i < shape.group; ++i) {
      float code =
          std::clamp((values[i] - grid.min) * inverse, 0.0f, 1.0f * last);
      codes[i] = static_cast<uint8_t>(code + 0.5f);
    }

    group.assign(values, nullptr, shape.group);
    Moments moments(group, codes, shape.bits);
    for (size_t p = 0; p < shape.prefixes.size(); ++p) {
      int prefix = shape.prefixes[p];
      Affine affine = prefix == shape.bits ? grid : moments.fit(prefix);
      storeParams(affine, g, out.params[p]);
    }
  }

  NestedShape shape;
};

} // namespace

std::unique_ptr<RowQuantizer>
pmpd::createRtnQuantizer(const NestedShape &shape, const InputStatistics &) {
  return std::make_unique<RtnQuantizer>(shape);
}
