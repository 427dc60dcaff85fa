// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/Passes.h"

#include "mlir/IR/IRMapping.h"

using namespace mlir;

namespace pmpd {
#define GEN_PASS_DEF_SPECIALIZE
#include "passes/Passes.h.inc"

namespace {
struct Specialize : impl::SpecializeBase<Specialize> {
  using SpecializeBase::SpecializeBase;

  void runOnOperation() override {
    if (prefillRows < 1) {
      getOperation().emitError("expected prefill-rows of at least 1, but got ")
          << prefillRows.getValue();
      return signalPassFailure();
    }
    for (ModelOp model : getOperation().getOps<ModelOp>())
      if (failed(specialize(model)))
        return signalPassFailure();
  }

  LogicalResult specialize(ModelOp model) {
    SmallVector<Operation *> phases;
    SmallVector<Attribute> table;
    for (Operation &op : model.getBody()->getOperations()) {
      if (auto prefill = dyn_cast<PrefillOp>(op)) {
        if (failed(
                addRegions(model, prefill, Phase::Prefill, prefillRows, table)))
          return failure();
        phases.push_back(prefill);
      } else if (auto decode = dyn_cast<DecodeOp>(op)) {
        if (failed(addRegions(model, decode, Phase::Decode, 1, table)))
          return failure();
        phases.push_back(decode);
      }
    }
    if (phases.empty())
      return success();
    auto builder = OpBuilder::atBlockEnd(model.getBody());
    RegionTableOp::create(builder, model.getLoc(), builder.getArrayAttr(table));
    for (Operation *phase : phases)
      phase->erase();
    return success();
  }

  template <typename PhaseOp>
  LogicalResult addRegions(ModelOp model, PhaseOp phase, Phase kind,
                           int64_t maxRows, SmallVectorImpl<Attribute> &table) {
    if (phase.getBits().empty())
      return phase.emitOpError(
          "expected bits; run --pmpd-allocate-precision first");
    for (int32_t bits : phase.getBits()) {
      OpBuilder builder(phase);
      std::string name = (stringifyPhase(kind) + "_b" + Twine(bits)).str();
      auto region = RegionOp::create(builder, phase.getLoc(), name, kind, bits,
                                     maxRows, /*scratch=*/IntegerAttr(),
                                     /*weight_bytes=*/IntegerAttr());
      IRMapping mapping;
      phase.getBodyRegion().cloneInto(&region.getBodyRegion(), mapping);
      if (failed(readAt(model, region, bits)))
        return failure();
      table.push_back(FlatSymbolRefAttr::get(builder.getContext(), name));
    }
    return success();
  }

  /// Sets the bits of every linear layer of a region.
  LogicalResult readAt(ModelOp model, RegionOp region, int32_t bits) {
    for (LinearOp linear : region.getBody()->getOps<LinearOp>()) {
      auto weight = model.lookupSymbol<WeightOp>(linear.getWeight());
      NestedType nested = weight ? weight.getNested() : NestedType();
      if (!nested)
        continue;
      int32_t wanted = linear.getPin().value_or(bits);
      if (nested.getPrefixIndex(wanted) < 0)
        return linear.emitOpError("expected ")
               << linear.getWeightAttr() << " to be readable at " << wanted
               << " bits, but it is " << nested;
      linear.setBits(wanted);
      linear.removePinAttr();
    }
    return success();
  }
};
} // namespace
} // namespace pmpd
