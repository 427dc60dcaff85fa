// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_TOOLS_PMPD_GPU_CHECK_COMPARE_H
#define PMPD_TOOLS_PMPD_GPU_CHECK_COMPARE_H

#include "tools/pmpd-gpu-check/Report.h"
#include "tools/support/Tool.h"

namespace pmpd::tools {

struct CompareOptions {
  ModelArgs model;
  std::string reference; /// Directory of the same weights for the CPU.
  std::string prompt;
  int64_t tokens = 200;
  std::string schedule; /// Of the text; the highest bits if empty.
  double tolerance = 2e-3;
};

/// Compares a model for a GPU with the same one for the CPU: logits of a prompt
/// and of the steps after it, given the same tokens, at all bits; and the text
/// that each writes greedily under a schedule; and the tokens that the GPU
/// draws with those that the host draws from the same logits. Returns whether
/// logits were within the tolerance and tokens equal. Throws ToolError.
bool compareModels(const CompareOptions &options, TableWriter &table);

} // namespace pmpd::tools

#endif // PMPD_TOOLS_PMPD_GPU_CHECK_COMPARE_H
