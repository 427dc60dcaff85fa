// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/targets/cuda/Launcher.h"

using namespace pmpd::cuda;

void Launcher::launch(void *self, const pmpd_gpu_kernel *kernel,
                      const pmpd_kernel_args *args, int64_t blocks) {
  auto *launcher = static_cast<Launcher *>(self);
  if (launcher->first == PMPD_OK && blocks > 0)
    launcher->first = launcher->launch(*kernel, *args, blocks);
}

pmpd_status Launcher::launch(const pmpd_gpu_kernel &kernel,
                             const pmpd_kernel_args &args, int64_t blocks) {
  FunctionHandle function = model.function(&kernel);
  if (!function)
    return rt::fail(PMPD_BAD_MODEL, "a region launches a kernel that the "
                                    "descriptor does not list; the library is "
                                    "corrupt, recompile it");
  if (times)
    if (pmpd_status status = times->record(kernel, blocks, stream))
      return status;
  Address call = calls + (args.rows == rows ? 0 : sizeof(pmpd_gpu_call));
  void *parameters[PMPD_KERNEL_POINTERS + 1];
  for (int32_t i = 0; i < kernel.pointers; ++i)
    parameters[i] = const_cast<void **>(&args.ptr[i]);
  parameters[kernel.pointers] = &call;
  LaunchAttribute overlap = {};
  overlap.id = kProgrammaticStreamSerialization;
  overlap.allowed = 1;
  LaunchConfig config = {};
  config.grid[0] = unsigned(blocks);
  config.block[0] = unsigned(kernel.threads);
  config.grid[1] = config.grid[2] = config.block[1] = config.block[2] = 1;
  config.stream = stream;
  config.attributes = &overlap;
  config.attributeCount = overlaps;
  // What precedes the first is a copy, and what precedes others with `times` is
  // an event, for which a kernel does not wait itself.
  overlaps = model.launchesOverlap() && !times;
  Result result = model.device().api().launchKernel.function(
      &config, function, parameters, nullptr);
  if (result == kSuccess)
    return PMPD_OK;
  return checkCall(("cuLaunchKernelEx of " + std::string(kernel.name)).c_str(),
                   result);
}
