// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_RUNTIME_TARGETS_CUDA_RECORDING_H
#define PMPD_RUNTIME_TARGETS_CUDA_RECORDING_H

#include "runtime/targets/cuda/Device.h"

#include <functional>

namespace pmpd::cuda {

/// Records what `body` queues in a stream, instead of running it, as a graph to
/// launch. Errors: what `body` returns, DEVICE_ERROR.
pmpd_status record(const Device &device, StreamHandle stream,
                   const std::function<pmpd_status()> &body, GraphExec &graph);

} // namespace pmpd::cuda

#endif // PMPD_RUNTIME_TARGETS_CUDA_RECORDING_H
