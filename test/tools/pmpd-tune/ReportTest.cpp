// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/pmpd-tune/Report.h"

#include <gtest/gtest.h>
#include <sstream>

using namespace pmpd::tools;

namespace {

TuneReport report(Metric metric) {
  Candidate high = {4, {4, 4}, 4, 0.125}, low = {4, {2, 2}, 2, 0.75},
            mixed = {4, {4, 2}, 3, 0.25}, bad = {4, {3, 3}, 3.125, 0.5};
  return {{high, high, mixed, {high, low, mixed, bad}, 0.375}, {96, 2}, metric};
}

} // namespace

TEST(TuneReport, table_has_every_schedule_by_its_bits) {
  EXPECT_EQ(toCsv(report(Metric::Divergence)),
            "schedule,prefill_bits,average_bits,kl,meets,pareto,chosen\n"
            "\"4/2@0\",4,2,0.75,0,1,0\n"
            "\"4/4@0,2@48\",4,3,0.25,1,1,1\n"
            "\"4/3@0\",4,3.125,0.5,0,0,0\n"
            "\"4/4@0\",4,4,0.125,1,1,0\n");
}

TEST(TuneReport, rouge_is_one_minus_its_loss) {
  EXPECT_NE(toCsv(report(Metric::Rouge)).find("\"4/2@0\",4,2,0.25,0,1,0"),
            std::string::npos);
}

TEST(TuneReport, prints_the_front_and_the_choice) {
  std::ostringstream text;
  printFront(text, report(Metric::Divergence));
  EXPECT_EQ(text.str(), "bits          kl  schedule\n"
                        "2.00      0.7500  4/2@0\n"
                        "3.00      0.2500  4/4@0,2@48  <- chosen\n"
                        "4.00      0.1250  4/4@0\n");
}

TEST(TuneReport, plots_every_schedule) {
  std::string svg = toSvg(report(Metric::Divergence));
  for (const char *part :
       {"<title>4/2@0</title>", "<title>4/4@0,2@48</title>",
        "<title>4/3@0</title>", "<title>4/4@0</title>", "stroke-dasharray",
        "average decode bits", "chosen: 4/4@0,2@48"})
    EXPECT_NE(svg.find(part), std::string::npos) << part;
  // More bits are further right, less loss is higher or lower as its axis says.
  EXPECT_EQ(svg.find("nan"), std::string::npos);
}

TEST(TuneReport, plots_a_search_with_one_schedule) {
  Candidate only = {4, {4}, 4, 0.125};
  std::string svg =
      toSvg({{only, only, only, {only}, 0.125}, {96, 1}, Metric::Perplexity});
  EXPECT_EQ(svg.find("nan"), std::string::npos);
  EXPECT_EQ(svg.find("inf"), std::string::npos);
}
