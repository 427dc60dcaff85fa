// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_TOOLS_PMPD_GPU_CHECK_LINEAR_H
#define PMPD_TOOLS_PMPD_GPU_CHECK_LINEAR_H

#include "tools/pmpd-gpu-check/Report.h"

namespace pmpd::tools {

struct LinearOptions {
  std::string kernels; /// Directory that pmpd-bench gpu-kernels wrote.
  int gpu = 0;
  int64_t megabytes = 200; /// Of weights read before the first comes again.
  int replays = 200;
  bool cublas = true;      /// To compare with.
  double tolerance = 1e-3; /// Of the largest result.
};

/// Time of linear layers, their inputs' quantization included, beside a plain
/// read of as many bytes, one of fp16 weights, and cuBLAS on fp16; taken in
/// turns. Every result is compared with sums in fp64. Returns whether all were
/// right. Throws ToolError.
bool measureLinear(const LinearOptions &options, TableWriter &table);

/// GB/s of a plain read of `megabytes`.
double measureRead(const LinearOptions &options);

} // namespace pmpd::tools

#endif // PMPD_TOOLS_PMPD_GPU_CHECK_LINEAR_H
