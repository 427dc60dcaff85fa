// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The NPU figure of PMPD (arXiv 2410.13461): decoding speed of three models on
// three tasks with fp16 weights, uniform bits, and the two schedulers.
#ifndef PMPD_TOOLS_PMPD_NPU_FIGURE_FIGURE_H
#define PMPD_TOOLS_PMPD_NPU_FIGURE_FIGURE_H

#include "tools/pmpd-npu-figure/Simulation.h"

#include <string>
#include <vector>

namespace pmpd::tools {

/// One bar: what the paper shows and what the machine does.
struct Bar {
  std::string model, task, series;
  double bits;         ///< mean over the decoded tokens
  double paperSpeed;   ///< tokens/s, from the heights and labels
  double paperSpeedup; ///< label; 1 for fp16

  double paperAccounting; ///< tokens/s
  double speedup;         ///< of it over fp16
  double fullAccounting;  ///< tokens/s, decoding
  double fullSpeedup;
  double withPrefill; ///< tokens/s of whole requests
  double withPrefillSpeedup;
  double joules; ///< per decoded token, full accounting

  /// Relative difference from the paper: of the speedup, of tokens/s for fp16.
  double error() const {
    return series == "fp16" ? paperAccounting / paperSpeed - 1
                            : speedup / paperSpeedup - 1;
  }
};

/// One way to be faster than the paper's scheme, alone.
struct Lever {
  std::string name, model, baseline;
  unsigned context;
  double before, after; ///< tokens/s
};

/// The models of the figure.
extern const Shape vicuna, mobileLlama, phi;

/// All 32 bars, model by model and task by task.
std::vector<Bar> simulateBars(const Simulation &simulation);

std::vector<Lever> simulateLevers(const Simulation &simulation);

} // namespace pmpd::tools

#endif // PMPD_TOOLS_PMPD_NPU_FIGURE_FIGURE_H
