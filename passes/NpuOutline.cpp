// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/Model.h"
#include "passes/NpuOutliner.h"
#include "passes/Passes.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace pmpd {
#define GEN_PASS_DEF_NPUOUTLINE
#include "passes/Passes.h.inc"

LogicalResult NpuOutliner::emit(Operation *op) {
  b.setLoc(op->getLoc());
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case([&](EmbedOp op) { return embed(op); })
      .Case([&](AddPositionOp op) { return addPosition(op); })
      .Case([&](RmsNormOp op) {
        return normalize(op, npu::NormKind::RMS, op.getWeightAttr(), {},
                         op.getEps().convertToDouble());
      })
      .Case([&](LayerNormOp op) {
        return normalize(op, npu::NormKind::Layer, op.getWeightAttr(),
                         op.getBiasAttr(), op.getEps().convertToDouble());
      })
      .Case([&](LinearOp op) { return linear(op); })
      .Case([&](RopeOp op) { return rotate(op); })
      .Case([&](KVAppendOp op) { return append(op); })
      .Case([&](AttentionOp op) { return attend(op); })
      .Case([&](ActivateOp op) { return activate(op); })
      .Case([&](QuantizeRowsOp op) { return quantize(op), success(); })
      .Case([&](AddOp op) { return combine(op, npu::EltFn::Add); })
      .Case([&](MulOp op) { return combine(op, npu::EltFn::Mul); })
      .Case([&](SelectLastOp op) { return selectLast(op), success(); })
      .Default([](Operation *op) {
        return op->emitOpError("has no instruction on the accelerator; compile "
                               "a Llama-shaped model, or for a CPU");
      });
}

LogicalResult NpuOutliner::emit(ArrayRef<Operation *> ops) {
  for (Operation *op : ops)
    if (failed(emit(op)))
      return failure();
  return success();
}

LogicalResult NpuOutliner::emitLayers(ArrayRef<Operation *> ops) {
  layerWeights = reg();
  layerKV = reg();
  salu(npu::SaluFn::Mov, layerWeights, {}, {}, 0);
  salu(npu::SaluFn::Mov, layerKV, {}, {}, 0);
  auto loop = npu::LoopOp::create(b, layers.count);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    if (failed(emit(ops.slice(layers.begin, layers.period))))
      return failure();
    salu(npu::SaluFn::Add, layerWeights, layerWeights, {}, layers.stride);
    salu(npu::SaluFn::Add, layerKV, layerKV, {}, 2 * model.getKVPlaneBytes());
  }
  // What the ops behind the last layer read is where the first one left it.
  Operation *last = ops[layers.begin + layers.count * layers.period - 1];
  values[last->getResult(0)] = values[layers.input];
  layerWeights = layerKV = Value();
  return success();
}

LogicalResult NpuOutliner::run() {
  SmallVector<Operation *> ops;
  for (Operation &op : region.getBody()->without_terminator())
    ops.push_back(&op);
  Value logits = cast<YieldOp>(region.getBody()->getTerminator()).getLogits();
  if (!logits || !logits.getDefiningOp<LinearOp>() || !logits.hasOneUse())
    return region.emitOpError("expected to yield the result of a pmpd.linear "
                              "that nothing else reads");
  layers = findLayers(model, ops);

  maxRows = region.getMaxRows();
  program = npu::ProgramOp::create(b, (region.getSymName() + ".program").str(),
                                   region.getPhase(), region.getBits(), maxRows,
                                   IntegerAttr());
  b.setInsertionPointToStart(&program.getBodyRegion().emplaceBlock());
  tokens = reg(npu::Role::Tokens);
  position = reg(npu::Role::Position);
  if (!isDecode()) {
    rows = reg(npu::Role::Rows);
    logitRows = reg(npu::Role::LogitRows);
  }
  if (failed(loadRopeTables()) ||
      failed(emit(ArrayRef(ops).take_front(layers.begin))))
    return failure();
  if (layers.count > 0 && failed(emitLayers(ops)))
    return failure();
  if (failed(emit(ArrayRef(ops).drop_front(layers.begin +
                                           layers.count * layers.period))))
    return failure();
  b.setInsertionPointToEnd(program.getBody());
  npu::HaltOp::create(b, Value(), Value(), Value(), ValueRange(), ValueRange());
  return success();
}

namespace {
struct NpuOutline : impl::NpuOutlineBase<NpuOutline> {
  void runOnOperation() override {
    FailureOr<ModelOp> model = getOnlyModel(getOperation());
    if (failed(model))
      return signalPassFailure();
    if (!model->getKvType().isF16()) {
      model->emitError("expected a KV cache of f16; compile with --kv f16");
      return signalPassFailure();
    }
    SmallVector<RegionOp> regions(model->getBody()->getOps<RegionOp>());
    for (RegionOp region : regions)
      if (failed(NpuOutliner(*model, region).run()))
        return signalPassFailure();
    for (auto table :
         llvm::make_early_inc_range(model->getBody()->getOps<RegionTableOp>()))
      table.erase();
    for (RegionOp region : regions) {
      StringAttr name = region.getSymNameAttr();
      auto program = model->lookupSymbol<npu::ProgramOp>(
          (name.getValue() + ".program").str());
      region.erase();
      program.setSymNameAttr(name);
    }
  }
};
} // namespace
} // namespace pmpd
