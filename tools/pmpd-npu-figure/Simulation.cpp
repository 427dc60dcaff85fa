// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/pmpd-npu-figure/Simulation.h"

#include "tools/pmpd-npu-figure/Generator.h"
#include "tools/support/Tool.h"

#include <algorithm>

using namespace pmpd;
using namespace pmpd::tools;

namespace {

/// A generated program, verified and loaded.
struct Loaded {
  Loaded(Generator generator, const npu::Hardware &hardware) {
    std::vector<uint8_t> file = generator.program();
    check(npu::Program::load("generated program", file.data(), file.size(),
                             program));
    check(npu::Machine::create(
        program, hardware, {nullptr, generator.weightFile().bytes}, machine));
  }

  const npu::Counters &run(unsigned rows, unsigned position,
                           unsigned logitRows) {
    check(machine->run(program.regions()[0],
                       {nullptr, rows, position, logitRows, nullptr},
                       npu::Mode::Timing));
    return machine->last();
  }

  npu::Program program;
  std::unique_ptr<npu::Machine> machine;
};

} // namespace

npu::Counters Simulation::decode(const Shape &shape, const Variant &variant,
                                 unsigned context) const {
  Loaded loaded(Generator(shape, variant, 1), hardware);
  return loaded.run(1, context, 1);
}

npu::Counters Simulation::prefill(const Shape &shape, const Variant &variant,
                                  unsigned tokens) const {
  unsigned most = Generator::prefillRows(shape, variant);
  Loaded loaded(Generator(shape, variant, most), hardware);
  npu::Counters sum;
  for (unsigned first = 0; first < tokens; first += most) {
    unsigned rows = std::min(most, tokens - first);
    sum.add(loaded.run(rows, first, first + rows == tokens));
  }
  return sum;
}

npu::Counters Simulation::verify(const Shape &shape, const Variant &variant,
                                 unsigned rows, unsigned context) const {
  Loaded loaded(Generator(shape, variant, rows, rows), hardware);
  return loaded.run(rows, context, rows);
}
