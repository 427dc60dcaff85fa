// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_TOOLS_EVALUATION_STATISTICS_H
#define PMPD_TOOLS_EVALUATION_STATISTICS_H

#include <vector>

namespace pmpd::tools {

/// A mean with the interval that holds it with 95 % confidence.
struct Estimate {
  double mean = 0;
  double low = 0;
  double high = 0;
};

/// The mean of `values` and its percentile bootstrap interval: the 2.5 % and
/// 97.5 % quantiles of the means of 4000 resamples, the same ones for every
/// list of one length. All 0 for an empty list.
/// Source: Efron and Tibshirani, "An Introduction to the Bootstrap" (1993).
Estimate estimateMean(const std::vector<double> &values);

} // namespace pmpd::tools

#endif // PMPD_TOOLS_EVALUATION_STATISTICS_H
