// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The machine of include/pmpd/npu.h, simulated: what its programs compute, bit
// for bit, and how long and with how much energy it computes them.
#ifndef PMPD_RUNTIME_TARGETS_NPU_MACHINE_H
#define PMPD_RUNTIME_TARGETS_NPU_MACHINE_H

#include "runtime/Mapping.h"
#include "runtime/targets/npu/Counters.h"
#include "runtime/targets/npu/Hardware.h"
#include "runtime/targets/npu/Program.h"
#include "runtime/targets/npu/Trace.h"

#include <memory>

namespace pmpd::npu {

enum class Mode {
  Functional, ///< results; of the counters only the instructions
  Timing,     ///< counters; no result is computed and weights may be absent
  Both
};

/// The weight file as the machine addresses it.
struct WeightImage {
  const uint8_t *data = nullptr; ///< null for timing alone
  uint64_t bytes = 0;            ///< size of the file
};

/// One run of a region.
struct Call {
  const int32_t *tokens; ///< [rows]; null for timing alone
  int64_t rows;          ///< 1 .. region.max_rows
  int64_t position;      ///< position + rows <= context
  int64_t logitRows;     ///< trailing rows, 0 .. rows
  float *logits;         ///< [logitRows, vocab]; null for timing alone
};

class Machine {
public:
  /// A machine that runs `program` on `hardware`. `program` and the weights
  /// outlive it. Errors: BAD_MODEL (the hardware lacks what the program
  /// requires), OUT_OF_MEMORY.
  static pmpd_status create(const Program &program, const Hardware &hardware,
                            WeightImage weights,
                            std::unique_ptr<Machine> &machine);
  ~Machine();

  /// Runs a region of the program to its end and adds to the counters.
  /// Errors: BAD_ARGUMENT (rows, position), BAD_MODEL (the program trapped;
  /// the text says where and why).
  pmpd_status run(const pmpd_npu_region &region, const Call &call, Mode mode);

  /// Of the latest run.
  const Counters &last() const;

  /// The KV cache, abi().kv_bytes as npu_layout.h lays it out.
  uint8_t *kv();
  /// Gives the memory of the KV cache back; it reads as zeros.
  void clearKv();

  /// Where timed runs record their instructions; null for nowhere.
  void setTrace(Trace *trace);

private:
  struct State;
  explicit Machine(std::unique_ptr<State> state);
  std::unique_ptr<State> state;
};

} // namespace pmpd::npu

#endif // PMPD_RUNTIME_TARGETS_NPU_MACHINE_H
