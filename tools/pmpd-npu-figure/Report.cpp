// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/pmpd-npu-figure/Report.h"
#include "tools/support/Svg.h"

#include <algorithm>
#include <cmath>

using namespace pmpd::tools;

std::string pmpd::tools::toMarkdown(const std::vector<Bar> &bars,
                                    const std::vector<Lever> &levers,
                                    const std::string &hardware) {
  std::string text =
      "Simulated on \"" + hardware +
      "\". Paper accounting: planes of the blocks' weights, KV cache.\nFull "
      "accounting: also scales and minimums, output head, norms, logits.\n\n"
      "| model, task | weights | bits | paper tok/s | paper accounting tok/s | "
      "speedup (paper) | difference | full accounting tok/s | speedup | with "
      "prefill tok/s | speedup | J/token |\n"
      "|---|---|---|---|---|---|---|---|---|---|---|---|\n";
  double speedups = 0, speeds = 0; // largest differences
  for (const Bar &bar : bars) {
    double &worst = bar.series == "fp16" ? speeds : speedups;
    worst = std::max(worst, std::fabs(bar.error()));
    text += "| " + bar.model + ", " + bar.task + " | " + bar.series + " | " +
            rounded(bar.bits, 2) + " | " + rounded(bar.paperSpeed, 2) + " | " +
            rounded(bar.paperAccounting, 2) + " | " + rounded(bar.speedup, 2) +
            " (" + rounded(bar.paperSpeedup, 1) + ") | " +
            rounded(100 * bar.error(), 1) + " % | " +
            rounded(bar.fullAccounting, 2) + " | " +
            rounded(bar.fullSpeedup, 2) + " | " + rounded(bar.withPrefill, 2) +
            " | " + rounded(bar.withPrefillSpeedup, 2) + " | " +
            rounded(bar.joules, 3) + " |\n";
  }
  text += "\n" + std::to_string(bars.size()) +
          " bars; largest difference from the paper: speedups " +
          rounded(100 * speedups, 1) + " %, tokens/s with fp16 weights " +
          rounded(100 * speeds, 1) +
          " % (the paper's machine is \"ref\")\n\n"
          "Beyond the paper, each on its own, full accounting:\n\n"
          "| lever | model | context | instead of | tok/s | with it | gain |\n"
          "|---|---|---|---|---|---|---|\n";
  for (const Lever &lever : levers)
    text += "| " + lever.name + " | " + lever.model + " | " +
            std::to_string(lever.context) + " | " + lever.baseline + " | " +
            rounded(lever.before, 2) + " | " + rounded(lever.after, 2) + " | " +
            rounded(lever.after / lever.before, 2) + "x |\n";
  return text;
}

std::string pmpd::tools::toCsv(const std::vector<Bar> &bars) {
  std::string text =
      "model,task,series,bits,paper_tokens_per_second,paper_speedup,"
      "paper_accounting_tokens_per_second,speedup,difference,"
      "full_accounting_tokens_per_second,full_accounting_speedup,"
      "with_prefill_tokens_per_second,with_prefill_speedup,joules_per_token\n";
  for (const Bar &bar : bars) {
    text += bar.model + "," + bar.task + "," + bar.series;
    for (double value :
         {bar.bits, bar.paperSpeed, bar.paperSpeedup, bar.paperAccounting,
          bar.speedup, bar.error(), bar.fullAccounting, bar.fullSpeedup,
          bar.withPrefill, bar.withPrefillSpeedup, bar.joules})
      text += "," + rounded(value, 5);
    text += "\n";
  }
  return text;
}

std::string pmpd::tools::toSvg(const std::vector<Bar> &bars,
                               const std::string &hardware) {
  constexpr double left = 50, top = 50, bottom = 330, most = 8.5, width = 10;
  constexpr double gap = 24;
  auto y = [&](double speedup) {
    return bottom - speedup / most * (bottom - top);
  };
  struct {
    const char *series, *color, *paperColor;
  } const styles[] = {{"fp16", "dimgray", "lightgray"},
                      {"uniform", "steelblue", "lightsteelblue"},
                      {"static", "seagreen", "lightgreen"},
                      {"learned", "darkorange", "navajowhite"}};
  double right = left + static_cast<double>(bars.size()) * 2 * width +
                 static_cast<double>(bars.size() / 4) * gap;
  Svg svg(static_cast<int>(right) + 20, 400);
  svg.label(left, 20, "start",
            "speedup over fp16 weights, paper accounting, simulated on " +
                hardware + " (dark) and in the paper (light)");
  for (int tick = 0; tick <= 8; tick += 2) {
    svg.line(left, y(tick), right, y(tick), "stroke=\"gainsboro\"");
    svg.label(left - 6, y(tick) + 4, "end", std::to_string(tick));
  }
  double x = left + gap / 2;
  std::string group;
  for (const Bar &bar : bars) {
    if (bar.model + bar.task != group) {
      if (!group.empty())
        x += gap;
      group = bar.model + bar.task;
      svg.label(x + 4 * width, bottom + 18, "middle", bar.task);
      svg.label(x + 4 * width, bottom + 34, "middle", bar.model);
    }
    const auto &style = *std::find_if(
        std::begin(styles), std::end(styles),
        [&](const auto &each) { return bar.series == each.series; });
    std::string title = bar.model + " " + bar.task + " " + bar.series + ": ";
    svg.bar(x, y(bar.paperSpeedup), width, bottom - y(bar.paperSpeedup),
            style.paperColor,
            title + rounded(bar.paperSpeedup, 1) + " (paper)");
    svg.bar(x + width, y(bar.speedup), width - 1, bottom - y(bar.speedup),
            style.color, title + rounded(bar.speedup, 2));
    x += 2 * width;
  }
  double key = left;
  for (const auto &style : styles) {
    svg.bar(key, 34, 10, 10, style.color, style.series);
    svg.label(key + 14, 43, "start", style.series);
    key += 80;
  }
  svg.line(left, bottom, right, bottom, "stroke=\"black\"");
  return svg.finish();
}
