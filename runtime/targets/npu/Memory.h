// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_RUNTIME_TARGETS_NPU_MEMORY_H
#define PMPD_RUNTIME_TARGETS_NPU_MEMORY_H

#include "pmpd/npu.h"

#include <array>
#include <cstddef>

namespace pmpd::npu {

/// The DRAM that a program sees: one stretch per base register, far apart.
class Memory {
public:
  /// Makes `bytes` bytes addressable behind a base register; `data` may be
  /// null where only addresses matter.
  void map(pmpd_npu_register base, uint8_t *data, uint64_t bytes,
           bool writable) {
    stretches[base] = {data, bytes, writable};
  }

  /// Address of the first byte behind a base register.
  static uint64_t addressOf(pmpd_npu_register base) {
    return static_cast<uint64_t>(base) << shift;
  }

  enum class Access { Ok, OutOfBounds, ReadOnly };

  /// Whether `count` runs of `length` bytes, `stride` apart, lie in one
  /// stretch. `data` is the first byte, or null if the stretch has no data.
  Access find(uint64_t address, uint64_t length, uint64_t count,
              uint64_t stride, bool write, uint8_t *&data) const {
    data = nullptr;
    uint64_t index = address >> shift;
    if (index >= stretches.size())
      return Access::OutOfBounds;
    const Stretch &stretch = stretches[index];
    uint64_t offset = address & ((uint64_t(1) << shift) - 1);
    // count and stride are below 2^32 and 2^38, so nothing overflows in 128.
    __uint128_t end = static_cast<__uint128_t>(offset) + length +
                      static_cast<__uint128_t>(count - 1) * stride;
    if (end > stretch.bytes)
      return Access::OutOfBounds;
    if (write && !stretch.writable)
      return Access::ReadOnly;
    if (stretch.data)
      data = stretch.data + offset;
    return Access::Ok;
  }

private:
  static constexpr unsigned shift = 48;
  struct Stretch {
    uint8_t *data = nullptr;
    uint64_t bytes = 0;
    bool writable = false;
  };
  std::array<Stretch, PMPD_NPU_R_FIRST_FREE> stretches;
};

} // namespace pmpd::npu

#endif // PMPD_RUNTIME_TARGETS_NPU_MEMORY_H
