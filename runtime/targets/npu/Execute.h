// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What each instruction computes. The extents of a work have been checked
// against the scratchpad, its transfers against the memory.
#ifndef PMPD_RUNTIME_TARGETS_NPU_EXECUTE_H
#define PMPD_RUNTIME_TARGETS_NPU_EXECUTE_H

#include "runtime/targets/npu/Memory.h"
#include "runtime/targets/npu/Work.h"

#include <vector>

namespace pmpd::npu {

/// The scratchpad and what the units need besides it.
struct Units {
  uint8_t *local;
  const Memory &memory;
  /// Sums of every subset of 8 activations: [K of a group / 8][256].
  std::vector<int32_t> subsetSums = {};
  /// What RED found, for its register.
  uint64_t reduced = 0;

  template <typename Type> Type *at(uint64_t address) const {
    return reinterpret_cast<Type *>(local + address);
  }
};

/// Executes an instruction of any unit but the sequencer. Returns null, or why
/// it trapped.
const char *execute(const Work &work, Units &units);

const char *executeQuantize(const Work &work, const Units &units);
const char *executeKvQuantize(const Work &work, const Units &units);
void executeBitPlanes(const Work &work, Units &units);
void executeHalf(const Work &work, const Units &units);
const char *executeAttention(const Work &work, const Units &units);
void executeNorm(const Work &work, const Units &units);
void executeRope(const Work &work, const Units &units);
void executeElementwise(const Work &work, const Units &units);
const char *executeReduce(const Work &work, Units &units);

} // namespace pmpd::npu

#endif // PMPD_RUNTIME_TARGETS_NPU_EXECUTE_H
