// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/evaluation/Statistics.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

using namespace pmpd::tools;

Estimate pmpd::tools::estimateMean(const std::vector<double> &values) {
  if (values.empty())
    return {};
  constexpr size_t kResamples = 4000;
  const size_t count = values.size();
  std::mt19937_64 random(1);
  std::vector<double> means(kResamples);
  for (double &mean : means) {
    double sum = 0;
    for (size_t i = 0; i < count; ++i)
      sum += values[random() % count];
    mean = sum / double(count);
  }
  std::sort(means.begin(), means.end());
  auto quantile = [&](double share) {
    return means[size_t(std::lround(share * double(kResamples - 1)))];
  };
  double mean =
      std::accumulate(values.begin(), values.end(), 0.0) / double(count);
  return {mean, quantile(0.025), quantile(0.975)};
}
