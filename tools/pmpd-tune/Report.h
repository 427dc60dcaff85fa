// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_TOOLS_PMPD_TUNE_REPORT_H
#define PMPD_TOOLS_PMPD_TUNE_REPORT_H

#include "tools/pmpd-tune/Metric.h"
#include "tools/pmpd-tune/Search.h"

#include <iosfwd>

namespace pmpd::tools {

/// A finished search and how its losses are read.
struct TuneReport {
  SearchResult search;
  Segments segments;
  Metric metric;

  double value(double loss) const { return valueOf(metric, loss); }

  /// The text of a schedule with its prefill bits.
  std::string schedule(const Candidate &candidate) const;
};

/// The Pareto front for a person; the chosen schedule is marked.
void printFront(std::ostream &out, const TuneReport &report);

/// Every schedule that was tried, one line each, by ascending bits.
std::string toCsv(const TuneReport &report);

/// The same as a plot of quality over bits with the front, the limit and the
/// chosen schedule, as SVG.
std::string toSvg(const TuneReport &report);

} // namespace pmpd::tools

#endif // PMPD_TOOLS_PMPD_TUNE_REPORT_H
