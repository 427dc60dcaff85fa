// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_RUNTIME_TARGETS_CUDA_LAUNCHER_H
#define PMPD_RUNTIME_TARGETS_CUDA_LAUNCHER_H

#include "runtime/targets/cuda/LaunchTimes.h"
#include "runtime/targets/cuda/LoadedModel.h"

namespace pmpd::cuda {

/// Launches what the entry of a region asks for, as pmpd_gpu_launch has it.
class Launcher {
public:
  /// `calls` are two pmpd_gpu_call on the device: of all `rows`, and of those
  /// with logits. With `times`, every launch is recorded there.
  Launcher(const LoadedModel &model, StreamHandle stream, Address calls,
           int64_t rows, LaunchTimes *times)
      : model(model), stream(stream), calls(calls), rows(rows), times(times) {}

  /// For pmpd_region_args; `self` is a Launcher.
  static void launch(void *self, const pmpd_gpu_kernel *kernel,
                     const pmpd_kernel_args *args, int64_t blocks);

  /// The first failure; no launch followed it.
  pmpd_status status() const { return first; }

private:
  pmpd_status launch(const pmpd_gpu_kernel &kernel,
                     const pmpd_kernel_args &args, int64_t blocks);

  const LoadedModel &model;
  StreamHandle stream;
  Address calls;
  int64_t rows;
  LaunchTimes *times;    // or null
  bool overlaps = false; // the launch before was one of these
  pmpd_status first = PMPD_OK;
};

} // namespace pmpd::cuda

#endif // PMPD_RUNTIME_TARGETS_CUDA_LAUNCHER_H
