// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/simt/SharedShadow.h"

#include <cstring>

namespace pmpd::simt {

SharedShadow::SharedShadow(const Kernel &kernel, uint32_t warps)
    : kernel(kernel), warpEpochs(warps) {
  for (uint32_t i = 0; i < kernel.sharedCount; ++i)
    arrays.emplace_back(kernel.shared[i].bytes);
}

void SharedShadow::beginBlock() {
  blockBarrier(); // what is older is ordered
  for (uint32_t i = 0; i < kernel.sharedCount; ++i)
    std::memset(kernel.shared[i].data, 0xFF, kernel.shared[i].bytes);
}

bool SharedShadow::isOrdered(const Touch &before, const Touch &now) const {
  return before.blockEpoch != now.blockEpoch || before.thread == now.thread ||
         (before.thread / warpSize == now.thread / warpSize &&
          before.warpEpoch != now.warpEpoch);
}

std::string SharedShadow::access(const void *address, uint32_t bytes,
                                 Access access, uint32_t thread) {
  auto *first = static_cast<const uint8_t *>(address);
  uint32_t array = 0;
  for (; array < kernel.sharedCount; ++array) {
    const SharedArray &each = kernel.shared[array];
    if (first >= each.data && first + bytes <= each.data + each.bytes)
      break;
  }
  if (array == kernel.sharedCount)
    return "an access of " + std::to_string(bytes) +
           " bytes out of the bounds of shared memory";
  size_t offset = first - kernel.shared[array].data;
  Touch now = {thread, blockEpoch, warpEpochs[thread / warpSize]};
  auto race = [&](const char *what, const Touch &before) {
    return std::string("a race on shared memory: thread ") +
           std::to_string(thread) + what + std::to_string(before.thread) +
           " without a barrier between them, at byte " +
           std::to_string(offset) + " of array " + std::to_string(array);
  };
  for (uint32_t i = 0; i < bytes; ++i) {
    Byte &byte = arrays[array][offset + i];
    if (!isOrdered(byte.write, now))
      return access == Access::Read
                 ? race(" reads what is written by ", byte.write)
                 : race(" writes what is written by ", byte.write);
    if (access == Access::Write) {
      for (const Touch &read : byte.reads)
        if (!isOrdered(read, now))
          return race(" writes what is read by ", read);
      byte.write = now;
      continue;
    }
    if (byte.reads[0].thread != thread)
      byte.reads[1] = byte.reads[0];
    byte.reads[0] = now;
  }
  return {};
}

} // namespace pmpd::simt
