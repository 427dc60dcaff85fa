// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/pmpd-tune/Metric.h"

#include <algorithm>

using namespace pmpd::tools;

const std::map<std::string, Metric> &pmpd::tools::metricNames() {
  static const std::map<std::string, Metric> names = {
      {"ppl", Metric::Perplexity},
      {"kl", Metric::Divergence},
      {"rouge", Metric::Rouge}};
  return names;
}

const std::string &pmpd::tools::nameOf(Metric metric) {
  const auto &names = metricNames();
  return std::find_if(names.begin(), names.end(),
                      [&](const auto &name) { return name.second == metric; })
      ->first;
}

const char *pmpd::tools::titleOf(Metric metric) {
  switch (metric) {
  case Metric::Perplexity:
    return "perplexity per token";
  case Metric::Divergence:
    return "divergence from the reference, nats per token";
  case Metric::Rouge:
    return "ROUGE-L";
  }
  return "";
}

double pmpd::tools::valueOf(Metric metric, double loss) {
  return metric == Metric::Rouge ? 1 - loss : loss;
}

double pmpd::tools::mostLoss(Metric metric, double loss, double drop) {
  return metric == Metric::Perplexity ? loss * (1 + drop) : loss + drop;
}
