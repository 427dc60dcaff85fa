// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_TOOLS_SUPPORT_SAMPLES_H
#define PMPD_TOOLS_SUPPORT_SAMPLES_H

#include <algorithm>
#include <chrono>
#include <vector>

namespace pmpd::tools {

/// Repeated measurements of one quantity; at least one.
class Samples {
public:
  void add(double value) {
    values.insert(std::upper_bound(values.begin(), values.end(), value), value);
  }
  bool empty() const { return values.empty(); }
  double min() const { return values.front(); }
  double max() const { return values.back(); }
  double median() const {
    size_t half = values.size() / 2;
    return values.size() % 2 ? values[half]
                             : (values[half - 1] + values[half]) / 2;
  }
  /// The value that `share` of the others, 0 to 1, do not exceed.
  double quantile(double share) const {
    return values[size_t(share * double(values.size() - 1) + 0.5)];
  }

private:
  std::vector<double> values; // ascending
};

template <typename Body> double secondsOf(Body body) {
  using Clock = std::chrono::steady_clock;
  Clock::time_point begin = Clock::now();
  body();
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

} // namespace pmpd::tools

#endif // PMPD_TOOLS_SUPPORT_SAMPLES_H
