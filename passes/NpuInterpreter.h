// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PASSES_NPUINTERPRETER_H
#define PASSES_NPUINTERPRETER_H

#include "dialects/NPU/NPU.h"

#include <array>

namespace pmpd {

/// What the host puts into the registers before a program runs.
struct NpuCall {
  int64_t position = 0, rows = 1, logitRows = 1;
};

/// The longest call of a program: all its rows, at the end of a context.
NpuCall longestCall(npu::ProgramOp program, int64_t context);

/// Expands the loops of a program and computes its registers as the sequencer
/// does. Registers have numbers. Words that it would read from memory, the
/// tokens, are 0.
class NpuInterpreter {
public:
  using Visit =
      llvm::function_ref<llvm::LogicalResult(npu::InstructionOpInterface)>;

  NpuInterpreter(npu::ProgramOp program, const NpuCall &call);

  /// Calls `visit` with every instruction in program order, a scalar one once
  /// it is computed. Stops where that fails, or with a diagnostic.
  llvm::LogicalResult run(Visit visit);

  /// The present value of a register, 0 for none.
  int64_t valueOf(mlir::Value reg) const {
    return static_cast<int64_t>(registers[npu::getNumber(reg)]);
  }
  /// Rows that an instruction processes: of its register, or 1.
  int64_t rowsOf(npu::InstructionOpInterface op) const;

  /// Instructions so far, with those that begin and end loops.
  int64_t executed() const { return count; }

private:
  llvm::LogicalResult run(mlir::Block &block, Visit visit);
  llvm::LogicalResult compute(npu::SaluOp op);

  npu::ProgramOp program;
  std::array<uint64_t, PMPD_NPU_REGISTERS> registers = {};
  int64_t count = 0;
};

} // namespace pmpd

#endif // PASSES_NPUINTERPRETER_H
