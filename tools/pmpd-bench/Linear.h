// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_TOOLS_PMPD_BENCH_LINEAR_H
#define PMPD_TOOLS_PMPD_BENCH_LINEAR_H

#include "tools/support/Table.h"

#include <optional>

namespace pmpd::tools {

/// Linear kernels to measure: every shape with every batch, bits and threads.
struct LinearBench {
  std::vector<std::pair<int64_t, int64_t>> shapes; /// weight rows, cols
  std::vector<int64_t> batches; /// Activation rows; {1} is a GEMV.
  std::vector<int> bits{2, 3, 4};
  std::vector<int> threads{1};
  std::string activations = "q8";
  std::string cpu = "native"; /// As pmpd-compile takes it.
  int64_t group = 128;
  int repeat = 9;
};

/// Columns of measureGemv and measureGemm.
std::vector<std::string> gemvColumns();
std::vector<std::string> gemmColumns();

/// Time of one product with cold weights and the share of the plain read of as
/// many bytes, the two taken in turns. Throws ToolError.
void measureGemv(const LinearBench &bench, TableWriter &table);
/// Multiplications per second and the share of what the instructions can do.
void measureGemm(const LinearBench &bench, TableWriter &table);

/// "4096x11008" as rows and columns.
std::optional<std::pair<int64_t, int64_t>> parseShape(const std::string &text);

} // namespace pmpd::tools

#endif // PMPD_TOOLS_PMPD_BENCH_LINEAR_H
