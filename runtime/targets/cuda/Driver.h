// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_RUNTIME_TARGETS_CUDA_DRIVER_H
#define PMPD_RUNTIME_TARGETS_CUDA_DRIVER_H

#include "runtime/targets/cuda/Api.h"

namespace pmpd::cuda {

/// The functions of the installed driver, which is loaded and initialised by
/// the first call that succeeds and stays so for the life of the process. Any
/// thread.
/// Errors: NO_DEVICE (no driver, or too old), DEVICE_ERROR.
pmpd_status loadDriver(const Api *&api);

} // namespace pmpd::cuda

#endif // PMPD_RUNTIME_TARGETS_CUDA_DRIVER_H
