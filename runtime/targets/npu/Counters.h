// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_RUNTIME_TARGETS_NPU_COUNTERS_H
#define PMPD_RUNTIME_TARGETS_NPU_COUNTERS_H

#include "pmpd/npu.h"

#include <array>
#include <cstddef>

namespace pmpd::npu {

/// Where energy goes.
enum class Consumer {
  Dram,
  Scratchpad,
  BitPlanes,
  Matrix,
  Vector,
  Static,
  Count
};

/// What a run cost on the simulated machine.
struct Counters {
  uint64_t instructions = 0; ///< executed, loops expanded
  double cycles = 0;         ///< from the host's launch to HALT
  double seconds = 0;        ///< the same
  std::array<double, PMPD_NPU_UNITS> busyCycles = {};
  std::array<uint64_t, PMPD_NPU_UNITS> bytes = {}; ///< of DRAM, by queue
  std::array<double, static_cast<std::size_t>(Consumer::Count)> joules = {};
  uint64_t planeBits = 0; ///< weight bits times activations on the BPU
  uint64_t int8Macs = 0;
  uint64_t halfMacs = 0;

  uint64_t dramBytes() const {
    uint64_t sum = 0;
    for (uint64_t each : bytes)
      sum += each;
    return sum;
  }
  double energy() const {
    double sum = 0;
    for (double each : joules)
      sum += each;
    return sum;
  }
  double &joulesOf(Consumer consumer) {
    return joules[static_cast<std::size_t>(consumer)];
  }
  void add(const Counters &other);
};

} // namespace pmpd::npu

#endif // PMPD_RUNTIME_TARGETS_NPU_COUNTERS_H
