// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/Passes.h"
#include "lib/Codegen/RowFormat.h"

#include "mlir/Analysis/Liveness.h"

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

int64_t bytesPerRow(Type type) {
  if (auto rows = dyn_cast<QuantizedRowsType>(type))
    return codegen::bytesPerQuantizedRow(rows.getCols(), rows.getBits(),
                                      rows.getGroup());
  return cast<RankedTensorType>(type).getShape().back() * 4;
}

struct PlanMemory : impl::PlanMemoryBase<PlanMemory> {
  void runOnOperation() override {
    for (ModelOp model : getOperation().getOps<ModelOp>())
      for (RegionOp region : model.getBody()->getOps<RegionOp>())
        plan(region);
  }

  static void plan(RegionOp region) {
    Builder builder(region.getContext());
    Arena arena;
    llvm::DenseMap<Value, Value> buffers;    // value -> value that owns its bytes
    llvm::DenseMap<Value, Operation *> ends; // owner -> last op that reads it
    auto owner = [&](Value value) { return buffers.lookup(value); };

    // select_last is a view, so its uses prolong the life of its input.
    for (Operation &op : region.getBody()->getOperations()) {
      if (op.getNumResults() == 1) {
        Value result = op.getResult(0);
        buffers[result] =
            isa<SelectLastOp>(op) ? owner(op.getOperand(0)) : result;
      }
      for (Value operand : op.getOperands())
        if (Value buffer = owner(operand))
          ends[buffer] = &op;
    }

    llvm::DenseMap<Value, int64_t> offsets; // owner -> offset
    Value logits = cast<YieldOp>(region.getBody()->getTerminator()).getLogits();
    for (Operation &op : region.getBody()->getOperations()) {
      // Inputs that die here make room for the result only if the op reads
      // each element before it writes it.
      bool inPlace = isa<AddOp, MulOp, ActivateOp, RopeOp, RmsNormOp, LayerNormOp,
                         AddPositionOp>(op);
      auto release = [&] {
        for (Value operand : op.getOperands()) {
          Value buffer = owner(operand);
          auto it = offsets.find(buffer);
          if (buffer && ends[buffer] == &op && it != offsets.end()) {
            arena.free(it->second);
            offsets.erase(it);
          }
        }
      };
      if (inPlace)
        release();
      if (op.getNumResults() == 1) {
        Value result = op.getResult(0);
        bool isView = isa<SelectLastOp>(op);
        if (result == logits && !isView) {
          op.removeAttr("pmpd.scratch");
        } else if (!isView) {
          offsets[result] = arena.allocate(bytesPerRow(result.getType()) *
                                           region.getMaxRows());
          op.setAttr("pmpd.scratch", builder.getI64IntegerAttr(offsets[result]));
          if (!ends.count(result)) { // unused
            arena.free(offsets[result]);
            offsets.erase(result);
          }
        }
      }
      if (!inPlace)
        release();
    }
    region.setScratch(std::max(arena.getPeak(), alignment));
  }
};
} // namespace
} // namespace pmpd
