// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/Mapping.h"
#include "runtime/targets/npu/Isa.h"
#include "runtime/targets/npu/Machine.h"
#include "tools/support/Svg.h"
#include "tools/support/Tool.h"

#include <iostream>

using namespace pmpd;
using namespace pmpd::tools;

namespace {

struct Args {
  std::string program, config, trace;
  int64_t context = 0, rows = 0;
};

/// More than any weight file has: nobody reads them.
constexpr uint64_t weightBytes = uint64_t{1} << 47;

std::string timeRegion(const npu::Program &program,
                       const pmpd_npu_region &region, const Args &args,
                       npu::Machine &machine) {
  int64_t rows = region.phase == PMPD_DECODE ? 1
                 : args.rows                 ? args.rows
                                             : region.max_rows;
  check(machine.run(region, {nullptr, rows, args.context, 1, nullptr},
                    npu::Mode::Timing));
  const npu::Counters &counters = machine.last();
  std::string line =
      "| " + std::string(program.string(region.name)) + " | " +
      std::to_string(region.count * sizeof(pmpd_npu_instruction)) + " | " +
      std::to_string(counters.instructions) + " | " + std::to_string(rows) +
      " | " + rounded(counters.seconds * 1e3, 3) + " | " +
      rounded(static_cast<double>(rows) / counters.seconds, 2) + " | " +
      rounded(counters.energy() * 1e3, 3);
  for (unsigned unit = PMPD_NPU_QW; unit <= PMPD_NPU_QS; ++unit)
    line += " | " + rounded(static_cast<double>(counters.bytes[unit]) / 1e6, 3);
  for (double busy : counters.busyCycles)
    line += " | " + rounded(100 * busy / counters.cycles, 1);
  return line + " |\n";
}

int timeProgram(const Args &args) {
  rt::Mapping file;
  check(rt::Mapping::ofFile(args.program, file));
  npu::Program program;
  check(npu::Program::load(args.program, file.data(), file.size(), program));
  npu::Hardware hardware;
  check(args.config.empty() ? npu::Hardware::parse(program.hardwareText(),
                                                   args.program, hardware)
                            : npu::Hardware::find(args.config, hardware));
  std::unique_ptr<npu::Machine> machine;
  check(
      npu::Machine::create(program, hardware, {nullptr, weightBytes}, machine));
  npu::Trace trace;
  if (!args.trace.empty())
    machine->setTrace(&trace);

  std::string table =
      "| region | code bytes | instructions | tokens | ms | tokens/s | mJ";
  std::string rule = "|---|---|---|---|---|---|---";
  for (unsigned unit = PMPD_NPU_QW; unit <= PMPD_NPU_QS; ++unit) {
    table += std::string(" | MB ") + npu::unitName(unit);
    rule += "|---";
  }
  for (unsigned unit = 0; unit < PMPD_NPU_UNITS; ++unit) {
    table += std::string(" | % ") + npu::unitName(unit);
    rule += "|---";
  }
  table += " |\n" + rule + "|\n";
  for (const pmpd_npu_region &region : program.regions())
    table += timeRegion(program, region, args, *machine);
  std::cout << table;
  if (!args.trace.empty())
    check(trace.write(args.trace));
  return 0;
}

} // namespace

int main(int argc, char **argv) {
  CLI::App app("Simulates how long each region of an NPU program takes. Needs "
               "no weights, since time does not depend on them.",
               "pmpd-npu-time");
  Args args;
  app.add_option("program", args.program, "NAME.pnpu")
      ->required()
      ->type_name("FILE");
  app.add_option("--npu-config,--config", args.config,
                 "hardware: ref, edge or a JSON file (default: what the "
                 "program was compiled for)")
      ->type_name("NAME|FILE");
  app.add_option("--context", args.context,
                 "tokens in the KV cache before the call")
      ->check(wholeNumber())
      ->capture_default_str()
      ->type_name("N");
  app.add_option("--rows", args.rows,
                 "tokens of a prefill call (default: as many as it takes)")
      ->check(wholeNumber())
      ->type_name("N");
  app.add_option("--trace", args.trace,
                 "write what each unit did when, as Chrome trace JSON for "
                 "Perfetto")
      ->type_name("FILE");
  return runTool(app, argc, argv, [&] { return timeProgram(args); });
}
