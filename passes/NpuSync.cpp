// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/NPU/NPU.h"
#include "passes/Passes.h"

#include "mlir/IR/ImplicitLocOpBuilder.h"

using namespace mlir;

namespace pmpd {
#define GEN_PASS_DEF_NPUSYNC
#include "passes/Passes.h.inc"

namespace {
using npu::InstructionOpInterface;
using npu::Unit;

/// Orders the instructions of one program.
class Synchronizer {
public:
  explicit Synchronizer(npu::ProgramOp program)
      : program(program), b(program.getLoc(), program) {}

  LogicalResult run();

private:
  void lowerTokens();
  void chain(Block &block, std::optional<Unit> &holder);
  void pass(Unit to, std::optional<Unit> &holder, Operation *before);
  void fold(npu::NopOp nop);

  Value semaphore() {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(program.getBody());
    return npu::SemOp::create(b, npu::SemType::get(b.getContext()),
                              b.getI32IntegerAttr(semaphores++));
  }
  Value chainOf(Unit unit) {
    Value &found = chains[unit];
    if (!found)
      found = semaphore();
    return found;
  }
  void nop(Unit unit, ValueRange waits, ValueRange posts) {
    npu::NopOp::create(b, unit, Value(), Value(), Value(), waits, posts);
  }

  npu::ProgramOp program;
  ImplicitLocOpBuilder b;
  int32_t semaphores = 0;
  DenseMap<Unit, Value> chains; // what a unit waits for when its turn comes
};

bool isRing(Value buffer) {
  return static_cast<bool>(buffer.getDefiningOp<npu::AllocOp>().getSlots());
}

/// Whether `op` takes part in the chain: it runs on a unit, and is not a load
/// that runs ahead into a ring.
bool isChained(Operation *op) {
  auto instruction = dyn_cast<InstructionOpInterface>(op);
  if (!instruction || instruction.getExecutingUnit() == Unit::Sequencer)
    return false;
  auto load = dyn_cast<npu::LdOp>(op);
  return !load || !isRing(load.getLocal());
}

/// The unit of the first chained instruction in a block, if there is one.
std::optional<Unit> firstUnit(Block &block) {
  for (Operation &op : block) {
    if (isChained(&op))
      return cast<InstructionOpInterface>(op).getExecutingUnit();
    if (auto loop = dyn_cast<npu::LoopOp>(op))
      if (std::optional<Unit> unit = firstUnit(*loop.getBody()))
        return unit;
  }
  return std::nullopt;
}

/// Whether an instruction of `unit` is in `op`.
bool runsOn(Operation *op, Unit unit) {
  WalkResult found = op->walk([&](InstructionOpInterface instruction) {
    return instruction.getExecutingUnit() == unit ? WalkResult::interrupt()
                                                  : WalkResult::advance();
  });
  return found.wasInterrupted();
}

/// The semaphores of an instruction as lists that can be changed.
MutableOperandRange semaphoresOf(InstructionOpInterface op, bool posts) {
  return posts ? op.getPostsMutable() : op.getWaitsMutable();
}
} // namespace

/// A ring has two semaphores: free slots, which begin as its slots, and filled
/// ones.
void Synchronizer::lowerTokens() {
  SmallVector<npu::AllocOp> rings;
  program.walk([&](npu::AllocOp op) {
    if (op.getSlots())
      rings.push_back(op);
  });
  for (npu::AllocOp ring : rings) {
    Value free = semaphore(), filled = semaphore();
    b.setInsertionPointAfter(ring);
    for (int64_t left = *ring.getSlots(); left > 0; left -= 2)
      nop(Unit::Sequencer, {},
          left > 1 ? SmallVector<Value>{free, free} : SmallVector<Value>{free});
    for (Operation *user :
         llvm::make_early_inc_range(ring.getResult().getUsers())) {
      auto token = dyn_cast<npu::TokenOp>(user);
      if (!token)
        continue;
      b.setInsertionPoint(token);
      switch (token.getStep()) {
      case npu::Credit::Acquire:
        nop(token.getUnit(), free, {});
        break;
      case npu::Credit::Publish:
        nop(token.getUnit(), {}, filled);
        break;
      case npu::Credit::Consume:
        nop(token.getUnit(), filled, {});
        break;
      case npu::Credit::Release:
        nop(token.getUnit(), {}, free);
        break;
      }
      token.erase();
    }
  }
}

/// Lets `to` go on when `holder` is done. Nothing runs on another unit in
/// between.
void Synchronizer::pass(Unit to, std::optional<Unit> &holder,
                        Operation *before) {
  if (holder && *holder != to) {
    b.setInsertionPoint(before);
    nop(*holder, {}, chainOf(to));
    nop(to, chainOf(to), {});
  }
  holder = to;
}

/// All chained instructions run one after another, in program order. A loop
/// begins and ends with the turn of the unit of its first instruction, so that
/// it may run any number of times.
void Synchronizer::chain(Block &block, std::optional<Unit> &holder) {
  SmallVector<Operation *> ops;
  for (Operation &op : block)
    ops.push_back(&op);
  for (Operation *op : ops) {
    if (isChained(op)) {
      pass(cast<InstructionOpInterface>(op).getExecutingUnit(), holder, op);
    } else if (auto loop = dyn_cast<npu::LoopOp>(op)) {
      std::optional<Unit> first = firstUnit(*loop.getBody());
      if (!first)
        continue;
      pass(*first, holder, loop);
      chain(*loop.getBody(), holder);
      if (*holder == *first)
        continue;
      // A place behind the last op for the builder to insert before.
      b.setInsertionPointToEnd(loop.getBody());
      nop(*holder, {}, chainOf(*first));
      nop(*first, chainOf(*first), {});
      holder = first;
    }
  }
}

/// Moves what a nop waits for to the next instruction of its unit, or what it
/// posts to the one before, in the same block.
void Synchronizer::fold(npu::NopOp nop) {
  if (nop.getUnit() == Unit::Sequencer ||
      nop.getWaits().empty() == nop.getPosts().empty())
    return;
  bool posts = nop.getWaits().empty();
  Operation *other = nop;
  do {
    other = posts ? other->getPrevNode() : other->getNextNode();
  } while (other && !runsOn(other, nop.getUnit()));
  if (!other || isa<npu::LoopOp>(other))
    return;
  MutableOperandRange mine =
      semaphoresOf(cast<InstructionOpInterface>(*nop), posts);
  MutableOperandRange theirs =
      semaphoresOf(cast<InstructionOpInterface>(other), posts);
  if (mine.size() + theirs.size() > 2)
    return;
  for (OpOperand &operand : mine)
    theirs.append(operand.get());
  nop.erase();
}

LogicalResult Synchronizer::run() {
  // Rings last: a nop that waits for the turn of a queue comes before.
  std::optional<Unit> holder;
  chain(*program.getBody(), holder);
  lowerTokens();
  if (semaphores > PMPD_NPU_SEMAPHORES)
    return program.emitError("expected at most ")
           << int(PMPD_NPU_SEMAPHORES) << " semaphores, but "
           << program.getSymName() << " needs " << semaphores;
  SmallVector<npu::NopOp> nops;
  program.walk([&](npu::NopOp op) { nops.push_back(op); });
  for (npu::NopOp op : nops)
    fold(op);
  // What only ordered other instructions and has nothing left to do.
  program.walk([&](npu::NopOp op) {
    if (op.getWaits().empty() && op.getPosts().empty())
      op.erase();
  });
  return success();
}

namespace {
struct NpuSync : impl::NpuSyncBase<NpuSync> {
  void runOnOperation() override {
    WalkResult result =
        getOperation().walk([&](npu::ProgramOp program) -> WalkResult {
          return Synchronizer(program).run();
        });
    if (result.wasInterrupted())
      signalPassFailure();
  }
};
} // namespace
} // namespace pmpd
