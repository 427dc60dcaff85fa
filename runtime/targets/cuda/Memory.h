// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_RUNTIME_TARGETS_CUDA_MEMORY_H
#define PMPD_RUNTIME_TARGETS_CUDA_MEMORY_H

#include "runtime/targets/cuda/Device.h"

namespace pmpd::cuda {

using DeviceMemory = Resource<Address, &Api::memoryFree>;
using PinnedMemory = Resource<void *, &Api::hostFree>;

/// Allocates memory of the device; 0 bytes are one. `what` names the purpose
/// in errors. Errors: OUT_OF_MEMORY (what was needed and is free),
/// DEVICE_ERROR.
pmpd_status allocate(const Device &device, uint64_t bytes, const char *what,
                     DeviceMemory &memory);

/// Allocates memory of the host that the device reads and writes by itself.
/// Errors: as allocate.
pmpd_status allocatePinned(const Device &device, uint64_t bytes,
                           const char *what, PinnedMemory &memory);

/// As checkCall, but a lack of memory is OUT_OF_MEMORY and says how many bytes
/// were needed for what, and how many are free.
pmpd_status checkAllocation(const Device &device, const char *call,
                            Result result, uint64_t bytes, const char *what);

/// Copies `bytes` of any host memory to the device through two pinned buffers,
/// one of which is filled while the other is sent, and waits for the end.
/// Errors: OUT_OF_MEMORY, DEVICE_ERROR.
pmpd_status upload(const Device &device, const uint8_t *from, uint64_t bytes,
                   Address to);

} // namespace pmpd::cuda

#endif // PMPD_RUNTIME_TARGETS_CUDA_MEMORY_H
