// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_RUNTIME_TARGETS_CUDA_CALLHEADER_H
#define PMPD_RUNTIME_TARGETS_CUDA_CALLHEADER_H

#include "runtime/targets/Target.h"

namespace pmpd::cuda {

/// What a call writes to the device first; its tokens follow it.
struct CallHeader {
  pmpd_gpu_call all, withLogits;
  pmpd_gpu_sampling sampling; // for a call with a choice

  CallHeader(const rt::RegionCall &call, int32_t vocab);
};

} // namespace pmpd::cuda

#endif // PMPD_RUNTIME_TARGETS_CUDA_CALLHEADER_H
