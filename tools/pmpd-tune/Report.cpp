// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/pmpd-tune/Report.h"
#include "tools/support/Svg.h"

#include <algorithm>
#include <iomanip>
#include <ostream>
#include <sstream>

using namespace pmpd::tools;

namespace {

bool isSame(const Candidate &a, const Candidate &b) {
  return a.prefillBits == b.prefillBits && a.levels == b.levels;
}

bool contains(const std::vector<Candidate> &list, const Candidate &one) {
  return std::any_of(list.begin(), list.end(), [&](const Candidate &other) {
    return isSame(other, one);
  });
}

/// Maps values to places on paper.
struct Axis {
  double low, high, from, to;

  Axis(double least, double most, double from, double to)
      : low(least), high(most), from(from), to(to) {
    double margin = high > low ? (high - low) * 0.06 : 0.5;
    low -= margin;
    high += margin;
  }
  double operator()(double value) const {
    return from + (value - low) / (high - low) * (to - from);
  }
  /// Five values at equal distances.
  std::vector<double> ticks() const {
    std::vector<double> values;
    for (int i = 0; i < 5; ++i)
      values.push_back(low + (high - low) * (0.1 + 0.2 * i));
    return values;
  }
};

} // namespace

std::string TuneReport::schedule(const Candidate &candidate) const {
  return std::to_string(candidate.prefillBits) + "/" +
         segments.schedule(candidate.levels);
}

void pmpd::tools::printFront(std::ostream &out, const TuneReport &report) {
  out << "bits  " << std::setw(10) << nameOf(report.metric) << "  schedule\n";
  std::vector<Candidate> front = paretoFront(report.search.tried);
  if (!contains(front, report.search.best))
    front.push_back(report.search.best); // of another prefill than the front's
  for (const Candidate &candidate : front)
    out << rounded(candidate.averageBits, 2) << "  " << std::setw(10)
        << rounded(report.value(candidate.loss), 4) << "  "
        << report.schedule(candidate)
        << (isSame(candidate, report.search.best) ? "  <- chosen" : "") << "\n";
}

std::string pmpd::tools::toCsv(const TuneReport &report) {
  std::vector<Candidate> tried = report.search.tried;
  const std::vector<Candidate> front = paretoFront(tried);
  std::sort(tried.begin(), tried.end(),
            [](const Candidate &a, const Candidate &b) {
              return a.averageBits < b.averageBits;
            });
  std::ostringstream text;
  text << "schedule,prefill_bits,average_bits," << nameOf(report.metric)
       << ",meets,pareto,chosen\n";
  for (const Candidate &one : tried)
    text << '"' << report.schedule(one) << "\"," << one.prefillBits << ","
         << std::setprecision(17) << one.averageBits << ","
         << report.value(one.loss) << ","
         << (one.loss <= report.search.mostLoss) << "," << contains(front, one)
         << "," << isSame(one, report.search.best) << "\n";
  return text.str();
}

std::string pmpd::tools::toSvg(const TuneReport &report) {
  const SearchResult &search = report.search;
  auto [lowBits, highBits] =
      std::minmax_element(search.tried.begin(), search.tried.end(),
                          [](const Candidate &a, const Candidate &b) {
                            return a.averageBits < b.averageBits;
                          });
  auto [lowLoss, highLoss] = std::minmax_element(
      search.tried.begin(), search.tried.end(),
      [](const Candidate &a, const Candidate &b) { return a.loss < b.loss; });
  const double left = 70, right = 620, top = 40, bottom = 370;
  Axis x(lowBits->averageBits, highBits->averageBits, left, right);
  double least = std::min(report.value(lowLoss->loss),
                          report.value(highLoss->loss)),
         most = std::max(report.value(lowLoss->loss),
                         report.value(highLoss->loss));
  Axis y(least, most, bottom, top);
  Svg svg(640, 430);
  svg.line(left, bottom, right, bottom, "stroke=\"black\"");
  svg.line(left, top, left, bottom, "stroke=\"black\"");
  for (double tick : x.ticks())
    svg.label(x(tick), bottom + 18, "middle", rounded(tick, 2));
  for (double tick : y.ticks())
    svg.label(left - 6, y(tick) + 4, "end", rounded(tick, 3));
  svg.label((left + right) / 2, bottom + 40, "middle", "average decode bits");
  svg.label(left, top - 16, "start",
            std::string(titleOf(report.metric)) +
                "; chosen: " + report.schedule(search.best));
  const double limit = report.value(search.mostLoss);
  if (limit > y.low && limit < y.high)
    svg.line(left, y(limit), right, y(limit),
             "stroke=\"gray\" stroke-dasharray=\"4\"");
  const std::vector<Candidate> front = paretoFront(search.tried);
  for (size_t i = 1; i < front.size(); ++i)
    svg.line(x(front[i - 1].averageBits), y(report.value(front[i - 1].loss)),
             x(front[i].averageBits), y(report.value(front[i].loss)),
             "stroke=\"steelblue\"");
  for (const Candidate &one : search.tried) {
    bool chosen = isSame(one, search.best);
    svg.dot(x(one.averageBits), y(report.value(one.loss)), chosen ? 6 : 3.5,
            chosen                 ? "crimson"
            : contains(front, one) ? "steelblue"
                                   : "silver",
            report.schedule(one));
  }
  return svg.finish();
}
