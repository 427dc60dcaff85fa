// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_TOOLS_PMPD_NPU_FIGURE_SIMULATION_H
#define PMPD_TOOLS_PMPD_NPU_FIGURE_SIMULATION_H

#include "runtime/targets/npu/Machine.h"
#include "tools/pmpd-npu-figure/Shape.h"

namespace pmpd::tools {

/// Runs generated programs in timing mode.
class Simulation {
public:
  explicit Simulation(const npu::Hardware &hardware) : hardware(hardware) {}

  /// One token with `context` tokens in the KV cache before it.
  npu::Counters decode(const Shape &shape, const Variant &variant,
                       unsigned context) const;

  /// A prompt of `tokens` tokens, in calls of as many rows as fit.
  npu::Counters prefill(const Shape &shape, const Variant &variant,
                        unsigned tokens) const;

  /// `rows` tokens at once behind `context` others, with logits of all.
  npu::Counters verify(const Shape &shape, const Variant &variant,
                       unsigned rows, unsigned context) const;

private:
  const npu::Hardware &hardware;
};

} // namespace pmpd::tools

#endif // PMPD_TOOLS_PMPD_NPU_FIGURE_SIMULATION_H
