// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/NpuInterpreter.h"
#include "passes/Passes.h"

#include <deque>
#include <map>

using namespace mlir;

namespace pmpd {
#define GEN_PASS_DEF_NPUVERIFY
#include "passes/Passes.h.inc"

namespace {
using npu::InstructionOpInterface;

/// How many instructions of each unit are known to be done.
using Clock = std::array<int64_t, PMPD_NPU_UNITS>;

bool precedes(const Clock &a, const Clock &b) {
  for (size_t unit = 0; unit < a.size(); ++unit)
    if (a[unit] > b[unit])
      return false;
  return true;
}

void join(Clock &clock, const Clock &other) {
  for (size_t unit = 0; unit < clock.size(); ++unit)
    clock[unit] = std::max(clock[unit], other[unit]);
}

/// An instruction that touched some bytes, the `index`-th of its unit.
struct Touch {
  Operation *op = nullptr;
  int64_t index = 0;
};

/// Who touched a stretch of the scratchpad last.
struct Stretch {
  int64_t end;
  int writer = 0; // unit
  Touch write;
  std::array<Touch, PMPD_NPU_UNITS> reads;
};

/// One execution of a program: orders instructions by what units wait for, and
/// finds accesses that nothing orders.
class Checker {
public:
  Checker(npu::ProgramOp program, int64_t scratchpad)
      : program(program), bytes(scratchpad) {
    stretches[0] = {scratchpad, 0, {}, {}};
  }

  LogicalResult run(const NpuCall &call);

private:
  struct Semaphore {
    std::deque<Clock> tokens;
    Clock latest = {}; // of the last token
    int waiter = -1;   // unit
  };

  LogicalResult visit(InstructionOpInterface op, const NpuInterpreter &at);
  LogicalResult wait(InstructionOpInterface op, int unit, Value semaphore);
  LogicalResult post(InstructionOpInterface op, int unit, Value semaphore);
  LogicalResult touch(InstructionOpInterface op, int unit,
                      const npu::Access &access, const NpuInterpreter &at);
  std::map<int64_t, Stretch>::iterator split(int64_t at);

  npu::ProgramOp program;
  int64_t bytes;
  std::array<Clock, PMPD_NPU_UNITS> clocks = {};
  std::array<Semaphore, PMPD_NPU_SEMAPHORES> semaphores;
  std::map<int64_t, Stretch> stretches; // by begin, without gaps
};
} // namespace

LogicalResult Checker::wait(InstructionOpInterface op, int unit,
                            Value semaphore) {
  int number = npu::getSemaphore(semaphore);
  Semaphore &state = semaphores[number];
  if (state.waiter >= 0 && state.waiter != unit)
    return op.emitOpError("waits for semaphore ")
           << number << " on unit "
           << stringifyUnit(static_cast<npu::Unit>(unit)) << ", but unit "
           << stringifyUnit(static_cast<npu::Unit>(state.waiter))
           << " does so too; use one semaphore per waiting unit";
  state.waiter = unit;
  if (state.tokens.empty())
    return op.emitOpError("waits for a token of semaphore ")
           << number << " that no earlier instruction posts: a deadlock";
  join(clocks[unit], state.tokens.front());
  state.tokens.pop_front();
  return success();
}

LogicalResult Checker::post(InstructionOpInterface op, int unit,
                            Value semaphore) {
  int number = npu::getSemaphore(semaphore);
  Semaphore &state = semaphores[number];
  // Tokens look alike: which one a unit takes must not depend on timing.
  if (!precedes(state.latest, clocks[unit]))
    return op.emitOpError("posts semaphore ")
           << number << " at the same time as another unit may";
  state.latest = clocks[unit];
  state.tokens.push_back(clocks[unit]);
  return success();
}

/// The stretch that begins at `at`, cut off the one that holds it.
std::map<int64_t, Stretch>::iterator Checker::split(int64_t at) {
  auto it = std::prev(stretches.upper_bound(at));
  if (it->first == at)
    return it;
  Stretch rest = it->second;
  it->second.end = at;
  return stretches.emplace(at, rest).first;
}

LogicalResult Checker::touch(InstructionOpInterface op, int unit,
                             const npu::Access &access,
                             const NpuInterpreter &at) {
  int64_t offset = access.offset ? at.valueOf(access.offset) : 0;
  int64_t inside = offset + access.begin;
  int64_t size = cast<npu::BufType>(access.buffer.getType()).getBytes();
  int64_t begin = npu::getAddress(access.buffer) + inside;
  int64_t end = begin + access.bytes;
  if (inside < 0 || inside + access.bytes > size || end > bytes)
    return op.emitOpError("touches bytes ")
           << inside << " to " << inside + access.bytes << " of a buffer of "
           << size << " in a scratchpad of " << bytes;
  if (access.bytes <= 0)
    return success();
  const Clock &clock = clocks[unit];
  auto collides = [&](int other, const Touch &touch) {
    if (touch.index <= clock[other])
      return false;
    auto error = op.emitOpError("touches bytes ")
                 << begin << " to " << end
                 << " of the scratchpad, but nothing orders it after an "
                    "instruction of unit "
                 << stringifyUnit(static_cast<npu::Unit>(other))
                 << " that does so too";
    error.attachNote(touch.op->getLoc()) << "this one: " << *touch.op;
    return true;
  };
  if (end < bytes)
    split(end);
  for (auto it = split(begin); it != stretches.end() && it->first < end; ++it) {
    Stretch &stretch = it->second;
    if (collides(stretch.writer, stretch.write))
      return failure();
    if (access.write)
      for (int other = 0; other < PMPD_NPU_UNITS; ++other)
        if (collides(other, stretch.reads[other]))
          return failure();
  }
  Touch now = {op, clock[unit]};
  if (!access.write) {
    for (auto it = split(begin); it != stretches.end() && it->first < end; ++it)
      it->second.reads[unit] = now;
    return success();
  }
  auto first = split(begin);
  first->second = {end, unit, now, {}};
  stretches.erase(std::next(first), stretches.lower_bound(end));
  return success();
}

LogicalResult Checker::visit(InstructionOpInterface op,
                             const NpuInterpreter &at) {
  auto unit = static_cast<int>(op.getExecutingUnit());
  // It is fed by the sequencer, after what that has waited for.
  join(clocks[unit], clocks[PMPD_NPU_SEQ]);
  for (OpOperand &operand : op.getWaitsMutable())
    if (failed(wait(op, unit, operand.get())))
      return failure();
  ++clocks[unit][unit];
  SmallVector<npu::Access> accesses;
  op.getAccesses(at.rowsOf(op), accesses);
  for (const npu::Access &access : accesses)
    if (failed(touch(op, unit, access, at)))
      return failure();
  if (auto fence = dyn_cast<npu::FenceOp>(op.getOperation())) {
    for (int other = 0; other < PMPD_NPU_UNITS; ++other)
      if (fence.getUnits() >> other & 1)
        join(clocks[unit], clocks[other]);
  } else if (isa<npu::RedOp>(op)) { // the sequencer waits for its result
    join(clocks[PMPD_NPU_SEQ], clocks[unit]);
  }
  for (OpOperand &operand : op.getPostsMutable())
    if (failed(post(op, unit, operand.get())))
      return failure();
  return success();
}

LogicalResult Checker::run(const NpuCall &call) {
  NpuInterpreter interpreter(program, call);
  return interpreter.run(
      [&](InstructionOpInterface op) { return visit(op, interpreter); });
}

namespace {
struct NpuVerify : impl::NpuVerifyBase<NpuVerify> {
  using NpuVerifyBase::NpuVerifyBase;

  void runOnOperation() override {
    WalkResult result = getOperation().walk(
        [&](npu::ProgramOp program) -> WalkResult { return verify(program); });
    if (result.wasInterrupted())
      signalPassFailure();
  }

  LogicalResult verify(npu::ProgramOp program) {
    int64_t context = PMPD_NPU_ATT_TOKENS;
    if (auto model = program->getParentOfType<ModelOp>())
      context = model.getContext();
    NpuCall longest = longestCall(program, context);
    // The first token, a chunk without logits, and the end of a context of
    // more than one tile.
    int64_t later = std::min<int64_t>(longest.position, PMPD_NPU_ATT_TOKENS);
    for (const NpuCall &call : {NpuCall{0, 1, 1}, NpuCall{0, longest.rows, 0},
                                NpuCall{later, longest.rows, longest.rows}})
      if (failed(Checker(program, scratchpad).run(call)))
        return failure();
    return success();
  }
};
} // namespace
} // namespace pmpd
