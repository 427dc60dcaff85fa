// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The kernels that `pmpd-bench gpu-kernels` wrote: kernels.ptx, and
// kernels.json that says what they are.
#ifndef PMPD_TOOLS_PMPD_GPU_CHECK_KERNELSET_H
#define PMPD_TOOLS_PMPD_GPU_CHECK_KERNELSET_H

#include "runtime/targets/cuda/Launcher.h"
#include "tools/pmpd-gpu-check/NestedWeight.h"

#include <deque>
#include <memory>
#include <string>

namespace pmpd::tools {

struct KernelToLaunch {
  const pmpd_gpu_kernel *kernel;
  int64_t tasks;   // blocks for every `rowTile` rows begun
  int64_t rowTile; // or in all, if it is 0

  int64_t blocks(int64_t rows) const {
    return rowTile ? tasks * ((rows + rowTile - 1) / rowTile) : tasks;
  }
};

/// A linear layer with `batch` rows of activations.
struct LinearCase {
  NestedWeight weight;
  int bits;
  int64_t batch;
  int64_t quantizedRowBytes;
  KernelToLaunch quantize; // (f32 [batch, cols], quantized rows)
  KernelToLaunch linear;   // (weight, quantized rows, f32 [batch, rows])
};

/// Throws ToolError where the files or the driver refuse.
class KernelSet {
public:
  KernelSet(const std::string &directory, int gpu);

  const std::vector<LinearCase> &cases() const { return list; }
  const cuda::LoadedModel &loaded() const { return *model; }

  /// Reads `readBytes` per block and writes nothing; (data, place for nothing).
  const KernelToLaunch &read() const { return readKernel; }
  int64_t readBytes() const { return bytesPerReadBlock; }

private:
  KernelToLaunch add(const std::string &name, int threads, int pointers,
                     int64_t tasks, int64_t rowTile);

  std::deque<std::string> names;
  std::deque<pmpd_gpu_kernel> kernels;
  std::vector<const pmpd_gpu_kernel *> table;
  std::vector<LinearCase> list;
  KernelToLaunch readKernel;
  int64_t bytesPerReadBlock = 0;
  std::string ptx;
  pmpd_gpu_image image;
  pmpd_model_desc desc = {};
  std::shared_ptr<const cuda::LoadedModel> model;
};

} // namespace pmpd::tools

#endif // PMPD_TOOLS_PMPD_GPU_CHECK_KERNELSET_H
