// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/targets/cuda/Memory.h"

#include <algorithm>
#include <cstring>

using namespace pmpd::cuda;
using pmpd::rt::fail;

namespace {

// Large enough that a copy hides the start of the next one.
constexpr uint64_t kUploadBytes = 16 << 20;

std::string mebibytes(uint64_t bytes) {
  return std::to_string((bytes + (1 << 20) - 1) >> 20) + " MiB";
}

/// A pinned buffer and the end of the copy that reads it.
struct UploadBuffer {
  PinnedMemory memory;
  Event sent;
};

} // namespace

pmpd_status pmpd::cuda::checkAllocation(const Device &device, const char *call,
                                        Result result, uint64_t bytes,
                                        const char *what) {
  if (result != kOutOfMemory)
    return checkCall(call, result);
  size_t free = 0, total = 0;
  device.api().memoryInfo.function(&free, &total);
  checkCall(call, result);
  std::string driver = pmpd_last_error();
  return fail(PMPD_OUT_OF_MEMORY,
              "expected " + mebibytes(bytes) + " for the " + what + " on " +
                  device.name() + ", but only " + mebibytes(free) + " of " +
                  mebibytes(total) + " are free (" + driver +
                  "); end other programs on the GPU or take a smaller model");
}

pmpd_status pmpd::cuda::allocate(const Device &device, uint64_t bytes,
                                 const char *what, DeviceMemory &memory) {
  auto make = [&](Address *address, uint64_t size) {
    const auto &call = device.api().memoryAllocate;
    return checkAllocation(device, call.name, call.function(address, size),
                           size, what);
  };
  return memory.create(device, make, std::max<uint64_t>(bytes, 1));
}

pmpd_status pmpd::cuda::allocatePinned(const Device &device, uint64_t bytes,
                                       const char *what, PinnedMemory &memory) {
  auto make = [&](void **address, uint64_t size) {
    const auto &call = device.api().hostAllocate;
    return checkAllocation(device, call.name,
                           call.function(address, size, kHostAllocDefault),
                           size, what);
  };
  return memory.create(device, make, std::max<uint64_t>(bytes, 1));
}

/// Queues all copies.
static pmpd_status send(const Api &api, UploadBuffer (&buffers)[2],
                        StreamHandle stream, const uint8_t *from,
                        uint64_t bytes, Address to) {
  uint64_t turn = 0;
  for (uint64_t at = 0; at < bytes; at += kUploadBytes, ++turn) {
    UploadBuffer &buffer = buffers[turn % 2];
    if (turn >= 2)
      if (pmpd_status status = api.eventSynchronize(buffer.sent.get()))
        return status;
    uint64_t size = std::min(kUploadBytes, bytes - at);
    std::memcpy(buffer.memory.get(), from + at, size);
    if (pmpd_status status =
            api.copyToDevice(to + at, buffer.memory.get(), size, stream))
      return status;
    if (pmpd_status status = api.eventRecord(buffer.sent.get(), stream))
      return status;
  }
  return PMPD_OK;
}

pmpd_status pmpd::cuda::upload(const Device &device, const uint8_t *from,
                               uint64_t bytes, Address to) {
  const Api &api = device.api();
  UploadBuffer buffers[2];
  for (UploadBuffer &buffer : buffers) {
    if (pmpd_status status =
            allocatePinned(device, std::min(bytes, kUploadBytes),
                           "upload buffers", buffer.memory))
      return status;
    if (pmpd_status status =
            buffer.sent.create(device, api.eventCreate, kEventDisableTiming))
      return status;
  }
  Stream stream;
  if (pmpd_status status =
          stream.create(device, api.streamCreate, kStreamNonBlocking))
    return status;
  if (pmpd_status status = send(api, buffers, stream.get(), from, bytes, to)) {
    // The buffers stay until what reads them has ended.
    api.streamSynchronize.function(stream.get());
    return status;
  }
  return api.streamSynchronize(stream.get());
}
