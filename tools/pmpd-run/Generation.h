// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_TOOLS_PMPD_RUN_GENERATION_H
#define PMPD_TOOLS_PMPD_RUN_GENERATION_H

#include "pmpd/runtime.h"

#include <iosfwd>
#include <string>
#include <vector>

namespace pmpd::tools {

/// What a simulated NPU did in one run.
struct NpuRun {
  std::string config; // "" if the model ran on the CPU
  pmpd_npu_totals prefill = {}, decode = {};
};

/// What one run produced.
struct Generation {
  std::vector<int32_t> tokens;
  std::vector<int32_t> bits; // [tokens]
  std::string text;          // "" with --raw
  bool cancelled = false;
  bool contextFull = false; // and more tokens were asked for
  pmpd_stats stats = {};
  NpuRun npu;
};

/// Speeds, bits and bytes for a person.
void printStats(std::ostream &out, const Generation &generation);

/// Everything as one JSON object on one line.
void printJson(std::ostream &out, const std::string &model,
               const Generation &generation);

} // namespace pmpd::tools

#endif // PMPD_TOOLS_PMPD_RUN_GENERATION_H
