// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_TOOLS_PMPD_BENCH_MODEL_H
#define PMPD_TOOLS_PMPD_BENCH_MODEL_H

#include "tools/support/Table.h"
#include "tools/support/Tool.h"

namespace pmpd::tools {

/// A compiled model to measure: every prompt length with every schedule and
/// number of threads.
struct ModelBench {
  ModelArgs model;
  std::vector<int64_t> promptTokens{128};
  int64_t decodeTokens = 128;
  std::vector<std::string> schedules;
  std::vector<int> threads{1};
  int repeat = 5;
};

std::vector<std::string> modelColumns();

/// Tokens per second of prefill and of decode after it, on random tokens, and
/// the share of the plain read of as many bytes as decode reads, taken in
/// turns. Throws ToolError.
void measureModel(const ModelBench &bench, TableWriter &table);

} // namespace pmpd::tools

#endif // PMPD_TOOLS_PMPD_BENCH_MODEL_H
