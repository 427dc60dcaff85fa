// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/targets/npu/Counters.h"

using namespace pmpd::npu;

void Counters::add(const Counters &other) {
  instructions += other.instructions;
  cycles += other.cycles;
  seconds += other.seconds;
  for (unsigned i = 0; i < busyCycles.size(); ++i)
    busyCycles[i] += other.busyCycles[i];
  for (unsigned i = 0; i < bytes.size(); ++i)
    bytes[i] += other.bytes[i];
  for (unsigned i = 0; i < joules.size(); ++i)
    joules[i] += other.joules[i];
  planeBits += other.planeBits;
  int8Macs += other.int8Macs;
  halfMacs += other.halfMacs;
}
