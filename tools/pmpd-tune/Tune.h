// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_TOOLS_PMPD_TUNE_TUNE_H
#define PMPD_TOOLS_PMPD_TUNE_TUNE_H

#include "tools/evaluation/Prompts.h"
#include "tools/pmpd-tune/Metric.h"

namespace pmpd::tools {

struct TuneArgs {
  PromptArgs prompts;
  Metric metric = Metric::Perplexity;
  double maxDrop = 0;
  int32_t segments = 3;
  int64_t exhaustive = 64; // schedules that are all tried
  std::string output;      // schedule file; isScheduleFile
};

/// Whether a file's name says that it holds a schedule.
bool isScheduleFile(const std::string &path);

/// Searches the schedule with the fewest bits that is as good as asked, prints
/// the Pareto front and writes the schedule file and beside it, with the same
/// name, the table *.csv and the plot *.svg. `reference` may be null unless the
/// metric is a divergence; with it ROUGE-L is against its answers. A search
/// that was interrupted goes on. Throws ToolError. Source: arXiv 2410.13461.
void tune(OpenModel &model, OpenModel *reference, const TuneArgs &args);

} // namespace pmpd::tools

#endif // PMPD_TOOLS_PMPD_TUNE_TUNE_H
