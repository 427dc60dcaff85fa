// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_RUNTIME_TARGETS_NPU_TRACE_H
#define PMPD_RUNTIME_TARGETS_NPU_TRACE_H

#include "runtime/Status.h"

#include <string>
#include <vector>

namespace pmpd::npu {

/// When each unit was busy with which instruction, over all runs that were
/// traced, one after the other.
class Trace {
public:
  /// Instruction `pc` of op `op` kept `unit` busy from `start` for `duration`
  /// microseconds after begin().
  void add(unsigned unit, unsigned op, uint32_t pc, double start,
           double duration);
  /// A mark of an EVT instruction.
  void mark(uint32_t id, double time);
  /// Ends a run that took `microseconds`; `name` is the region's.
  void endRun(const std::string &name, double microseconds);

  /// Writes the trace in the Chrome trace event format, which Perfetto and
  /// chrome://tracing open. The file appears when it is complete.
  /// Errors: IO_ERROR.
  pmpd_status write(const std::string &path) const;

private:
  struct Event {
    double start, duration; // microseconds; duration < 0 for a mark
    uint32_t pc;            // or the mark's id
    uint8_t unit, op;
  };
  struct Run {
    std::string name;
    double start, duration;
  };
  std::vector<Event> events;
  std::vector<Run> runs;
  double origin = 0;
};

} // namespace pmpd::npu

#endif // PMPD_RUNTIME_TARGETS_NPU_TRACE_H
