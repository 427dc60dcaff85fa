// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_RUNTIME_TARGETS_NPU_COST_H
#define PMPD_RUNTIME_TARGETS_NPU_COST_H

#include "runtime/targets/npu/Hardware.h"
#include "runtime/targets/npu/Work.h"

namespace pmpd::npu {

/// What an instruction takes of its unit, waiting and DRAM excluded.
struct Cost {
  double cycles = 0;
  double planeBits = 0; ///< on the BPU
  double int8Macs = 0;
  double halfMacs = 0;
  double vectorOps = 0;  ///< f32 operations of lanes
  double specialOps = 0; ///< exponentials, divisions, roots
  double readBytes = 0;  ///< of the scratchpad
  double writtenBytes = 0;
  bool wideActivations = false; ///< planeBits are times 16-bit activations
};

/// Cost of an instruction of BPU, MXU or VPU; of LD and ST only the bytes.
Cost costOf(const Work &work, const Hardware &hardware);

/// Cycles that an LD or ST occupies the DRAM port, turnaround excluded.
double transferCycles(const Work &work, const Hardware &hardware);

} // namespace pmpd::npu

#endif // PMPD_RUNTIME_TARGETS_NPU_COST_H
