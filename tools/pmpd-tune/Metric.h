// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_TOOLS_PMPD_TUNE_METRIC_H
#define PMPD_TOOLS_PMPD_TUNE_METRIC_H

#include <map>
#include <string>

namespace pmpd::tools {

/// What a schedule is judged by.
enum class Metric {
  Perplexity, // of the references after their prompts
  Divergence, // from the reference model's probabilities on the references
  Rouge       // ROUGE-L of greedy answers against the targets
};

/// The names that users write.
const std::map<std::string, Metric> &metricNames();

/// The name of a metric among those.
const std::string &nameOf(Metric metric);

/// What a plot calls the metric.
const char *titleOf(Metric metric);

/// The loss, of which less is better, as the metric's own value: ROUGE-L is one
/// minus its loss, the others are their losses.
double valueOf(Metric metric, double loss);

/// The greatest loss allowed: a perplexity may rise by the share `drop`, a
/// divergence by `drop` nats per token, and ROUGE-L may fall by `drop`.
double mostLoss(Metric metric, double loss, double drop);

} // namespace pmpd::tools

#endif // PMPD_TOOLS_PMPD_TUNE_METRIC_H
