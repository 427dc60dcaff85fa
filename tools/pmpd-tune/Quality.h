// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_TOOLS_PMPD_TUNE_QUALITY_H
#define PMPD_TOOLS_PMPD_TUNE_QUALITY_H

#include "tools/evaluation/Journal.h"
#include "tools/evaluation/Prompts.h"
#include "tools/pmpd-tune/Metric.h"
#include "tools/pmpd-tune/Search.h"

namespace pmpd::tools {

/// What schedules are measured on.
struct Calibration {
  std::vector<Prompt> prompts;
  Metric metric;
  Segments segments;
  OpenModel *reference;             // of Divergence; else null
  std::vector<std::string> targets; // of Rouge, [prompts]
};

/// Losses of schedules: perplexity, mean divergence in nats, or one minus mean
/// ROUGE-L. A prompt is prefilled once for all schedules, and the steps that a
/// schedule shares with the one before it are not repeated, so neighbours that
/// begin alike cost only where they differ. Losses do not depend on the number
/// of threads. What the journal, which may be null, holds is not measured
/// again. Throws ToolError.
std::vector<double> measureLosses(OpenModel &model,
                                  const Calibration &calibration,
                                  int32_t prefillBits,
                                  const std::vector<Levels> &schedules,
                                  Journal *journal);

} // namespace pmpd::tools

#endif // PMPD_TOOLS_PMPD_TUNE_QUALITY_H
