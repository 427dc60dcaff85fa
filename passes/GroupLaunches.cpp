// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/Passes.h"

using namespace mlir;

namespace pmpd {
#define GEN_PASS_DEF_GROUPLAUNCHES
#include "passes/Passes.h.inc"

namespace {

/// Whether a row of what `op` writes depends on the same row of what it reads.
bool worksByRows(Operation *op) {
  return isa<EmbedOp, AddPositionOp, RmsNormOp, LayerNormOp, QuantizeRowsOp,
             RopeOp, KVAppendOp, ActivateOp, AddOp, MulOp>(op);
}

bool shareInput(Operation *a, Operation *b) {
  auto first = dyn_cast<LinearOp>(a), second = dyn_cast<LinearOp>(b);
  return first && second && first.getInput() == second.getInput();
}

/// Moves linear ops of one input behind the first of them.
void gatherLinears(Block &block) {
  llvm::DenseMap<Value, Operation *> last;
  for (LinearOp op : llvm::make_early_inc_range(block.getOps<LinearOp>())) {
    Operation *&before = last[op.getInput()];
    if (before)
      op->moveAfter(before);
    before = op;
  }
}

struct GroupLaunches : impl::GroupLaunchesBase<GroupLaunches> {
  void runOnOperation() override {
    for (ModelOp model : getOperation().getOps<ModelOp>())
      for (RegionOp region : model.getBody()->getOps<RegionOp>())
        group(*region.getBody());
  }

  static void group(Block &block) {
    gatherLinears(block);
    Builder builder(block.getParentOp()->getContext());
    int64_t groups = 0;
    for (Operation &op : block.without_terminator()) {
      op.removeAttr("pmpd.group");
      Operation *before = op.getPrevNode();
      if (!before || !((worksByRows(before) && worksByRows(&op)) ||
                       shareInput(before, &op)))
        continue;
      if (!before->hasAttr("pmpd.group"))
        before->setAttr("pmpd.group", builder.getI64IntegerAttr(groups++));
      op.setAttr("pmpd.group", before->getAttr("pmpd.group"));
    }
  }
};
} // namespace
} // namespace pmpd
