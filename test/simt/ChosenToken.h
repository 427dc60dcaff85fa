// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_TEST_SIMT_CHOSENTOKEN_H
#define PMPD_TEST_SIMT_CHOSENTOKEN_H

#include "pmpd/kernel.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace pmpd::test {

/// What pmpd_model_desc.gpu_sample is to choose, by sorting.
struct ChosenToken {
  int32_t token = -1;
  /// The share of the weight by which another share or draw would have to be
  /// off for another token.
  double margin = 1;
  std::vector<std::pair<int32_t, double>> kept; // with weights, by index

  ChosenToken(const float *logits, int32_t vocab,
              const pmpd_gpu_sampling &sampling) {
    std::vector<int32_t> order;
    for (int32_t i = 0; i < vocab; ++i)
      if (std::isfinite(logits[i]))
        order.push_back(i);
    if (order.empty())
      return;
    std::stable_sort(order.begin(), order.end(), [&](int32_t a, int32_t b) {
      return logits[a] > logits[b];
    });
    token = order[0];
    if (sampling.inverse_temperature == 0)
      return;
    order.resize(std::min<size_t>(order.size(), sampling.top_k));
    double total = 0;
    for (int32_t i : order) {
      double below = double(logits[i]) - logits[order[0]];
      kept.push_back({i, std::exp(below * sampling.inverse_temperature)});
      total += kept.back().second;
    }
    if (sampling.top_p != UINT64_MAX) {
      double share = std::ldexp(double(sampling.top_p), -64), sum = 0;
      size_t count = 0;
      while (count < kept.size() && sum <= share) {
        sum += kept[count++].second / total;
        margin = std::min(margin, std::fabs(sum - share));
      }
      kept.resize(count);
      total *= sum;
    }
    std::sort(kept.begin(), kept.end());
    double uniform = std::ldexp(double(sampling.uniform), -64), sum = 0;
    token = -1;
    for (const auto &[index, weight] : kept) {
      sum += weight / total;
      margin = std::min(margin, std::fabs(sum - uniform));
      if (token < 0 && sum > uniform)
        token = index;
    }
  }
};

} // namespace pmpd::test

#endif // PMPD_TEST_SIMT_CHOSENTOKEN_H
