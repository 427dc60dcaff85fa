// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_RUNTIME_TARGETS_NPU_TIMING_H
#define PMPD_RUNTIME_TARGETS_NPU_TIMING_H

#include "runtime/targets/npu/Cost.h"
#include "runtime/targets/npu/Counters.h"
#include "runtime/targets/npu/Trace.h"

#include <array>
#include <deque>
#include <vector>

namespace pmpd::npu {

/// When each instruction of a run starts and ends. Fed in program order; of
/// the heads of all queues the one that can start first always does.
class Timing {
public:
  /// `trace` may be null.
  Timing(const Hardware &hardware, Trace *trace);

  /// Takes the next instruction of the program. `stalls`: the sequencer needs
  /// its result before it goes on.
  void feed(const Work &work, bool stalls);

  /// Lets everything complete; false if an instruction waits for a token that
  /// nobody posts.
  bool finish(Counters &counters);

private:
  struct Entry {
    const pmpd_npu_instruction *instruction;
    uint32_t pc;
    double ready;    // when the sequencer fed it
    double cycles;   // of its unit
    double transfer; // of the DRAM port; LD and ST only
  };
  struct Unit {
    std::deque<Entry> queue;
    double started = 0; // when the latest instruction did
    double free = 0;    // when the next one may
    double idle = 0;    // when all that started have completed
  };

  void feedSequencer(const Work &work);
  bool step();
  bool startOf(const Entry &entry, const Unit &unit, double &start) const;
  void drain(unsigned unit);
  double take(uint8_t semaphore);
  void post(uint8_t semaphore, double time);
  bool waitForToken(uint8_t semaphore);
  void account(const Work &work, const Cost &cost);
  double microseconds(double cycles) const {
    return cycles / hardware.clockGhz / 1000;
  }

  const Hardware &hardware;
  Trace *trace;
  std::array<Unit, PMPD_NPU_UNITS> units;
  // Times at which the tokens of a semaphore become available, ascending.
  std::array<std::deque<double>, PMPD_NPU_SEMAPHORES> tokens;
  double now = 0;      // of the sequencer
  double dramFree = 0; // when the DRAM port may start the next transfer
  bool dramWrites = false;
  double end = 0;
  bool stuck = false;
  Counters totals;
};

} // namespace pmpd::npu

#endif // PMPD_RUNTIME_TARGETS_NPU_TIMING_H
