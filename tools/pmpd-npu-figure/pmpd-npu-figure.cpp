// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/pmpd-npu-figure/Report.h"
#include "tools/support/Tool.h"

#include <iostream>

using namespace pmpd;
using namespace pmpd::tools;

int main(int argc, char **argv) {
  CLI::App app("Simulates the decoding speed of PMPD's three models on the NPU "
               "and compares it with the figure of the paper.",
               "pmpd-npu-figure");
  std::string config = "ref", csv, svg;
  app.add_option("--npu-config,--config", config,
                 "hardware: ref, edge or a JSON file")
      ->capture_default_str()
      ->type_name("NAME|FILE");
  app.add_option("--csv", csv, "write the bars as a table")->type_name("FILE");
  app.add_option("--svg", svg, "write the figure")->type_name("FILE");
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
