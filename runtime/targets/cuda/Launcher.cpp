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
  if (times)
    if (pmpd_status status = times->record(kernel, blocks, stream))
      return status;
  Address call = calls + (args.rows == rows ? 0 : sizeof(pmpd_gpu_call));
  void *parameters[PMPD_KERNEL_POINTERS + 1];
  for (int32_t i = 0; i < kernel.pointers; ++i)
    parameters[i] = const_cast<void **>(&args.ptr[i]);
  parameters[kernel.pointers] = &call;
  Result result = model.device().api().launchKernel.function(
      model.function(&kernel), unsigned(blocks), 1, 1, unsigned(kernel.threads),
      1, 1, 0, stream, parameters, nullptr);
  if (result == kSuccess)
    return PMPD_OK;
  return checkCall(("cuLaunchKernel of " + std::string(kernel.name)).c_str(),
                   result);
}
