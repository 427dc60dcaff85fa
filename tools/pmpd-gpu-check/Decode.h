// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_TOOLS_PMPD_GPU_CHECK_DECODE_H
#define PMPD_TOOLS_PMPD_GPU_CHECK_DECODE_H

#include "tools/pmpd-gpu-check/Report.h"
#include "tools/support/Tool.h"

namespace pmpd::tools {

struct DecodeOptions {
  ModelArgs model;
  int64_t prompt = 128;
  int64_t tokens = 96;
  std::vector<std::string> schedules;
  double readGbps = 0; /// Of a plain read; 0 if it is not known.
};

/// Time of a token from its number to the next one's on the host, the
/// likeliest, under each schedule; weights may be those of fillWeights. Returns
/// whether logits were finite. Throws ToolError.
bool measureDecode(const DecodeOptions &options, TableWriter &table);

} // namespace pmpd::tools

#endif // PMPD_TOOLS_PMPD_GPU_CHECK_DECODE_H
