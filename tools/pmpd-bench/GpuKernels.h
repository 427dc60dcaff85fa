// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_TOOLS_PMPD_BENCH_GPUKERNELS_H
#define PMPD_TOOLS_PMPD_BENCH_GPUKERNELS_H

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace pmpd::tools {

/// Kernels for pmpd-gpu-check to measure: every shape with every batch and
/// bits.
struct GpuKernelFiles {
  std::string directory;
  std::vector<std::pair<int64_t, int64_t>> shapes; /// weight rows, cols
  std::vector<int64_t> batches{1, 4, 16, 64};
  std::vector<int> bits{4, 3, 2};
  int64_t group = 128;
  std::string chip = "sm_80"; /// The oldest GPU that can run them.
  bool ir = false;            /// Write kernels.mlir as well.
};

/// Writes kernels.ptx, kernels.json that says what is in it, and if it is
/// wanted kernels.mlir, the same in the NVVM dialect. Throws ToolError.
void writeGpuKernels(const GpuKernelFiles &files);

} // namespace pmpd::tools

#endif // PMPD_TOOLS_PMPD_BENCH_GPUKERNELS_H
