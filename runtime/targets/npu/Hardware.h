// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_RUNTIME_TARGETS_NPU_HARDWARE_H
#define PMPD_RUNTIME_TARGETS_NPU_HARDWARE_H

#include "runtime/Status.h"

#include <string>
#include <vector>

namespace pmpd::npu {

/// A hardware configuration. What each number means and where it comes from is
/// said in the file itself; the files of the named ones are
/// include/pmpd/npu_hardware/NAME.json.
struct Hardware {
  std::string name;
  std::string text; ///< the JSON it was read from

  double clockGhz;
  double scratchpadKib;
  double accumulatorKib;
  double queueDepth;
  double issueCycles;
  double launchUs;

  double dramGbps;
  double dramLoss;
  double dramTurnaroundNs;
  double dmaLatencyNs;
  double dmaSegmentNs;
  double dmaBytesPerCycle;

  double bpuRows;
  double bpuColumns;
  double bpuFillCycles;
  double mxuRows;
  double mxuColumns;
  double mxuFillCycles;
  double mxuA16Passes;
  double mxuHalfPasses;
  double attHalfPerCycle;
  double attIntPerCycle;
  double vpuLanes;
  double vpuStartCycles;
  double vpuFoldCycles;
  double sfuLanes;

  double dramPjPerByte;
  double scratchpadReadPjPerByte;
  double scratchpadWritePjPerByte;
  double planeBitPj;
  double int8MacPj;
  double halfMacPj;
  double vpuOpPj;
  double sfuOpPj;
  double staticWatts;

  uint64_t scratchpadBytes() const {
    return static_cast<uint64_t>((scratchpadKib + accumulatorKib) * 1024);
  }
  double dramBytesPerCycle() const {
    return dramGbps * (1 - dramLoss) / clockGhz;
  }

  /// Reads a configuration. `origin` names it in errors.
  /// Errors: BAD_ARGUMENT (not JSON; a number missing, unknown, out of range
  /// or without a source).
  static pmpd_status parse(const std::string &text, const std::string &origin,
                           Hardware &hardware);

  /// The configuration named `nameOrPath` ("ref", "edge") or, if it has a dot
  /// or a slash, in the file of that path. Errors: NOT_FOUND, IO_ERROR,
  /// BAD_ARGUMENT.
  static pmpd_status find(const std::string &nameOrPath, Hardware &hardware);

  static std::vector<std::string> names();
};

} // namespace pmpd::npu

#endif // PMPD_RUNTIME_TARGETS_NPU_HARDWARE_H
