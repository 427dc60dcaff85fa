// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/NpuLiveness.h"
#include "passes/Passes.h"

#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace pmpd {
#define GEN_PASS_DEF_NPUSCHEDULE
#include "passes/Passes.h.inc"

namespace {
using npu::SaluFn;

struct NpuSchedule : impl::NpuScheduleBase<NpuSchedule> {
  using NpuScheduleBase::NpuScheduleBase;

  void runOnOperation() override {
    WalkResult result =
        getOperation().walk([&](npu::ProgramOp program) -> WalkResult {
          return schedule(program);
        });
    if (result.wasInterrupted())
      signalPassFailure();
  }

  LogicalResult schedule(npu::ProgramOp program);
  static void setRows(npu::ProgramOp program, int64_t rows);
  static void turn(npu::ProgramOp program, npu::AllocOp ring, int64_t slots);
};
} // namespace

/// Gives a ring its slots: every use is at the slot of a register, which goes
/// on to the next slot where one is released.
void NpuSchedule::turn(npu::ProgramOp program, npu::AllocOp ring,
                       int64_t slots) {
  npu::BufType type = ring.getResult().getType();
  int64_t slotBytes = type.getBytes();
  ring.setSlots(slots);
  ring.getResult().setType(npu::BufType::get(program.getContext(),
                                             type.getSpace(), slots * slotBytes,
                                             type.getAlign()));
  ImplicitLocOpBuilder b(ring.getLoc(), ring);
  b.setInsertionPointAfter(ring);
  auto salu = [&](SaluFn fn, Value rd, Value x, int64_t imm) {
    npu::SaluOp::create(b, fn, rd, x, Value(), imm, Value(), Value(), Value(),
                        ValueRange(), ValueRange());
  };
  Value slot = npu::RegOp::create(b, npu::RegType::get(b.getContext()),
                                  npu::RoleAttr(), IntegerAttr());
  salu(SaluFn::Mov, slot, {}, 0);
  for (Operation *user : ring.getResult().getUsers()) {
    auto token = dyn_cast<npu::TokenOp>(user);
    if (!token) {
      llvm::TypeSwitch<Operation *, void>(user)
          .Case<npu::LdOp, npu::BpmvOp, npu::MmqOp, npu::AttOp>(
              [&](auto op) { op.getInOffsetMutable().assign(slot); });
      continue;
    }
    if (token.getStep() != npu::Credit::Release)
      continue;
    b.setInsertionPointAfter(token);
    salu(SaluFn::Add, slot, slot, slotBytes);
    salu(SaluFn::Rem, slot, slot, slots * slotBytes);
  }
}

/// Lets a program take so many tokens per call.
void NpuSchedule::setRows(npu::ProgramOp program, int64_t rows) {
  program.setMaxRows(rows);
  program.walk([&](npu::AllocOp op) {
    if (op.getPerRow())
      op.getResult().setType(
          npu::rowsType(op.getContext(), *op.getPerRow(), rows));
  });
}

LogicalResult NpuSchedule::schedule(npu::ProgramOp program) {
  SmallVector<npu::AllocOp> rings;
  int64_t slotBytes = 0;
  for (auto alloc : program.getBody()->getOps<npu::AllocOp>())
    if (alloc.getSlots() == uint64_t(0)) {
      rings.push_back(alloc);
      slotBytes += alloc.getResult().getType().getBytes();
    }
  if (rings.empty())
    return success();
  // One slot is read while the next one is filled.
  int64_t others = placeBuffers(program, /*assign=*/false);
  for (int64_t rows = program.getMaxRows();
       others + 2 * slotBytes > scratchpad && rows > 1;
       others = placeBuffers(program, /*assign=*/false))
    setRows(program, rows /= 2);
  int64_t slots =
      std::min<int64_t>((scratchpad - others) / slotBytes, maxSlots);
  if (slots < 2)
    return program.emitError("expected at most ")
           << scratchpad.getValue() << " bytes of scratchpad, but "
           << program.getSymName() << " needs " << others + 2 * slotBytes
           << " for one token";
  for (npu::AllocOp ring : rings)
    turn(program, ring, slots);
  return success();
}
} // namespace pmpd
