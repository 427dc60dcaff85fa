// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_RUNTIME_TARGETS_NPU_SEQUENCER_H
#define PMPD_RUNTIME_TARGETS_NPU_SEQUENCER_H

#include "runtime/targets/npu/Memory.h"
#include "runtime/targets/npu/Work.h"

#include <vector>

namespace pmpd::npu {

/// Expands one region of a verified program: executes what the sequencer
/// executes and reads the registers of everything else.
class Sequencer {
public:
  /// `code` is the program's, `scratchpadBytes` what addresses may reach.
  Sequencer(const std::vector<pmpd_npu_instruction> &code, const Memory &memory,
            uint64_t scratchpadBytes)
      : code(code), memory(memory), scratchpadBytes(scratchpadBytes) {}

  /// Begins a region: clears the registers, then sets the base registers.
  void begin(uint32_t first, uint64_t budget);

  void set(unsigned reg, uint64_t value) {
    if (reg != PMPD_NPU_R_ZERO)
      registers[reg] = value;
  }

  enum class Step { Work, Halted, Trapped };

  /// Executes the next instruction; `work` is the instruction either way.
  Step next(Work &work);

  /// Why it trapped.
  const char *trap() const { return cause; }

  uint64_t instructions() const { return executed; }

private:
  Step fail(const char *why) {
    cause = why;
    return Step::Trapped;
  }
  Step scalar(const pmpd_npu_salu &salu);
  Step beginLoop(const pmpd_npu_loop &loop);
  Step resolve(Work &work);
  Step resolveDma(Work &work);

  const std::vector<pmpd_npu_instruction> &code;
  const Memory &memory;
  uint64_t scratchpadBytes;
  uint64_t registers[PMPD_NPU_REGISTERS] = {};
  struct Loop {
    uint32_t body;      // first instruction
    uint64_t remaining; // iterations after this one
  } loops[PMPD_NPU_LOOP_LEVELS] = {};
  uint32_t pc = 0;
  uint64_t executed = 0, budget = 0;
  const char *cause = "";
};

} // namespace pmpd::npu

#endif // PMPD_RUNTIME_TARGETS_NPU_SEQUENCER_H
