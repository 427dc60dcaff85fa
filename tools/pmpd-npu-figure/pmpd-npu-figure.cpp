// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/pmpd-npu-figure/Report.h"
#include "tools/support/Tool.h"

#include <iostream>

using namespace pmpd;
using namespace pmpd::tools;

int main(int argc, char **argv) {
  CLI::App app("Simulates the decoding speed of PMPD's three models on the NPU "
               "and compares it with the figure of the paper.");
  std::string config = "ref", csv, svg;
  app.add_option("--config", config, "hardware: ref, edge or FILE.json")
      ->capture_default_str();
  app.add_option("--csv", csv, "file for the bars as a table");
  app.add_option("--svg", svg, "file for the figure");
  return runTool(app, argc, argv, [&] {
    npu::Hardware hardware;
    check(npu::Hardware::find(config, hardware));
    Simulation simulation(hardware);
    std::vector<Bar> bars = simulateBars(simulation);
    std::cout << toMarkdown(bars, simulateLevers(simulation), hardware.name);
    if (!csv.empty())
      writeText(csv, toCsv(bars));
    if (!svg.empty())
      writeText(svg, toSvg(bars, hardware.name));
    return 0;
  });
}
