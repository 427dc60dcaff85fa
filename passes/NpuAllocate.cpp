// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/NpuLiveness.h"
#include "passes/Passes.h"

using namespace mlir;

namespace pmpd {
#define GEN_PASS_DEF_NPUALLOCATE
#include "passes/Passes.h.inc"

namespace {
struct NpuAllocate : impl::NpuAllocateBase<NpuAllocate> {
  using NpuAllocateBase::NpuAllocateBase;

  void runOnOperation() override {
    WalkResult result =
        getOperation().walk([&](npu::ProgramOp program) -> WalkResult {
          return allocate(program);
        });
    if (result.wasInterrupted())
      signalPassFailure();
  }

  LogicalResult allocate(npu::ProgramOp program) {
    if (failed(numberRegisters(program)))
      return failure();
    int64_t bytes = placeBuffers(program, /*assign=*/true);
    if (bytes > scratchpad)
      return program.emitError("expected at most ")
             << scratchpad.getValue() << " bytes of scratchpad, but "
             << program.getSymName() << " needs " << bytes;
    program.setScratchpad(bytes);
    return success();
  }

  static LogicalResult numberRegisters(npu::ProgramOp program) {
    // When the latest value in a register is no longer needed.
    int64_t freeFrom[PMPD_NPU_REGISTERS] = {};
    program.walk([](npu::RegOp op) {
      if (op.getRole())
        op.setAt(static_cast<int32_t>(*op.getRole()));
    });
    for (const LiveRange &range : findLiveRanges<npu::RegOp>(program)) {
      auto op = range.value.getDefiningOp<npu::RegOp>();
      if (op.getRole())
        continue;
      int number = PMPD_NPU_R_FIRST_FREE;
      while (number < PMPD_NPU_REGISTERS && freeFrom[number] > range.begin)
        ++number;
      if (number == PMPD_NPU_REGISTERS)
        return program.emitError("expected at most ")
               << PMPD_NPU_REGISTERS - PMPD_NPU_R_FIRST_FREE
               << " registers at once, but " << program.getSymName()
               << " needs more";
      freeFrom[number] = range.end;
      op.setAt(number);
    }
    return success();
  }
};
} // namespace
} // namespace pmpd
