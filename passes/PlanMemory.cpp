// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Codegen/RowFormat.h"
#include "lib/Codegen/gpu/GpuRowFormat.h"
#include "passes/Passes.h"

#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace pmpd {
#define GEN_PASS_DEF_PLANMEMORY
#include "passes/Passes.h.inc"

namespace {
constexpr int64_t alignment = 64;

/// Free and used intervals of scratch memory, first fit.
class Arena {
public:
  int64_t allocate(int64_t bytes) {
    bytes = llvm::alignTo(bytes, alignment);
    int64_t offset = 0;
    auto it = used.begin();
    for (; it != used.end() && it->first - offset < bytes; ++it)
      offset = it->second;
    used.insert(it, {offset, offset + bytes});
    peak = std::max(peak, offset + bytes);
    return offset;
  }
  void free(int64_t offset) {
    llvm::erase_if(used, [&](auto &range) { return range.first == offset; });
  }
  int64_t getPeak() const { return peak; }

private:
  SmallVector<std::pair<int64_t, int64_t>> used; // [begin, end), ascending
  int64_t peak = 0;
};

/// Whether quantized rows meet weights in the layout of GPUs, and so have the
/// format that goes with it.
bool areForGpu(Value rows) {
  return llvm::any_of(rows.getUsers(), [](Operation *user) {
    auto linear = dyn_cast<LinearOp>(user);
    if (!linear)
      return false;
    auto weight = user->getParentOfType<ModelOp>().lookupSymbol<WeightOp>(
        linear.getWeight());
    NestedType nested = weight.getNested();
    return nested && nested.getLayout() == Layout::GPU;
  });
}

int64_t bytesPerRow(Value value) {
  if (auto rows = dyn_cast<QuantizedRowsType>(value.getType()))
    return areForGpu(value)
               ? codegen::bytesPerGpuRow(rows.getCols())
               : codegen::bytesPerQuantizedRow(rows.getCols(), rows.getBits(),
                                               rows.getGroup());
  return cast<RankedTensorType>(value.getType()).getShape().back() * 4;
}

/// Whether `op` reads each element of its inputs before it writes that of its
/// result, in the same task.
bool worksInPlace(Operation *op) {
  return isa<AddOp, MulOp, ActivateOp, RopeOp, RmsNormOp, LayerNormOp,
             AddPositionOp>(op);
}

/// Places the values of one region.
class Planner {
public:
  explicit Planner(RegionOp region) : region(region) {}

  void plan() {
    findLifetimes();
    Value logits = cast<YieldOp>(region.getBody()->getTerminator()).getLogits();
    for (Operation &op : region.getBody()->getOperations()) {
      op.removeAttr("pmpd.scratch");
      // A view has no memory of its own, and the logits are the caller's.
      if (op.getNumResults() == 1 && !isa<SelectLastOp>(op) &&
          op.getResult(0) != logits)
        place(op);
      for (Value operand : op.getOperands())
        if (diesAt(operand, &op))
          dead.insert(owners.lookup(operand));
      if (!runsWithNext(op))
        releaseDead();
    }
    region.setScratch(std::max(arena.getPeak(), alignment));
  }

private:
  /// select_last is a view, so its uses prolong the life of its input.
  void findLifetimes() {
    for (Operation &op : region.getBody()->getOperations()) {
      for (Value operand : op.getOperands())
        if (Value owner = owners.lookup(operand))
          ends[owner] = &op;
      if (op.getNumResults() == 1) {
        Value result = op.getResult(0);
        owners[result] =
            isa<SelectLastOp>(op) ? owners.lookup(op.getOperand(0)) : result;
        ends[owners[result]] = &op;
      }
    }
  }

  bool diesAt(Value operand, Operation *op) {
    Value owner = owners.lookup(operand);
    return owner && offsets.count(owner) && ends.lookup(owner) == op;
  }

  /// Ops of a group run at the same time: what dies in one of them is still
  /// read by other rows.
  static bool runsWithNext(Operation &op) {
    Operation *next = op.getNextNode();
    Attribute group = op.getAttr("pmpd.group");
    return group && next && next->getAttr("pmpd.group") == group;
  }

  void releaseDead() {
    for (Value owner : dead) {
      arena.free(offsets.lookup(owner));
      offsets.erase(owner);
    }
    dead.clear();
  }

  void place(Operation &op) {
    Value result = op.getResult(0);
    int64_t offset = -1;
    // The result takes over the buffer of an input that dies here, if it is
    // exactly that: with other rows, those of different tasks would overlap.
    if (worksInPlace(&op))
      for (Value operand : op.getOperands())
        if (offset < 0 && owners.lookup(operand) == operand &&
            operand.getType() == result.getType() && diesAt(operand, &op)) {
          offset = offsets.lookup(operand);
          offsets.erase(operand);
        }
    if (offset < 0)
      offset = arena.allocate(bytesPerRow(result) * region.getMaxRows());
    offsets[result] = offset;
    Builder builder(region.getContext());
    op.setAttr("pmpd.scratch", builder.getI64IntegerAttr(offset));
    if (ends.lookup(result) == &op) // never read
      dead.insert(result);
  }

  RegionOp region;
  Arena arena;
  llvm::DenseMap<Value, Value> owners;     // value -> whose bytes it is in
  llvm::DenseMap<Value, Operation *> ends; // owner -> last op that reads it
  llvm::DenseMap<Value, int64_t> offsets;  // owner -> offset, while it lives
  llvm::SetVector<Value> dead;             // owners to release with the group
};

struct PlanMemory : impl::PlanMemoryBase<PlanMemory> {
  void runOnOperation() override {
    for (ModelOp model : getOperation().getOps<ModelOp>())
      for (RegionOp region : model.getBody()->getOps<RegionOp>())
        Planner(region).plan();
  }
};
} // namespace
} // namespace pmpd
