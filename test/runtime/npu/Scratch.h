// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_TEST_RUNTIME_NPU_SCRATCH_H
#define PMPD_TEST_RUNTIME_NPU_SCRATCH_H

#include "pmpd/npu.h"
#include "runtime/Status.h"
#include "runtime/targets/npu/Machine.h"

#include <cstring>
#include <random>
#include <vector>

namespace pmpd::test {

constexpr uint32_t scratchBytes = 192 * 1024;

/// What a scratchpad holds before an instruction: operands one after the other
/// in a sea of random bytes.
class Scratch {
public:
  explicit Scratch(unsigned seed);

  /// Room for `count` values; its address.
  uint32_t bytes(size_t count) { return reserve(count); }
  /// Normally distributed.
  uint32_t floats(size_t count, float deviation = 1);
  uint32_t halves(size_t count, float deviation = 1);
  /// Codes of the width of an activation with all extremes.
  uint32_t codes(size_t count, bool wide);
  /// Scale and sum per group of the codes at an address.
  uint32_t groupScales(uint32_t codes, size_t count, unsigned group, bool wide);

  template <typename Type> void put(uint32_t address, Type value) {
    std::memcpy(&content[address], &value, sizeof(value));
  }
  template <typename Type> Type get(uint32_t address) const {
    Type value;
    std::memcpy(&value, &content[address], sizeof(value));
    return value;
  }

  std::mt19937 random;
  std::vector<uint8_t> content;

private:
  uint32_t reserve(size_t count);
  uint32_t used = 0;
};

/// Runs one instruction on the simulator, between a load of the scratchpad and
/// a store of all of it: through a verified program file.
pmpd_status simulate(const pmpd_npu_instruction &instruction, int64_t rows,
                     int64_t visible, const std::vector<uint8_t> &before,
                     std::vector<uint8_t> &after);

/// Expects that simulator and reference make the same bytes of a scratchpad;
/// returns them.
std::vector<uint8_t> expectSame(pmpd_npu_instruction instruction,
                                const Scratch &scratch, int64_t rows = 1,
                                int64_t visible = 0);

/// Expects both to trap.
void expectTrap(pmpd_npu_instruction instruction, const Scratch &scratch,
                const char *why, int64_t visible = 0);

} // namespace pmpd::test

#endif // PMPD_TEST_RUNTIME_NPU_SCRATCH_H
