// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/Passes.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/StringSwitch.h"

using namespace mlir;

namespace pmpd {
#define GEN_PASS_DEF_QUANTIZEROWS
#include "passes/Passes.h.inc"

namespace {
struct QuantizeRows : impl::QuantizeRowsBase<QuantizeRows> {
  using QuantizeRowsBase::QuantizeRowsBase;

  void runOnOperation() override {
    int bits = llvm::StringSwitch<int>(activations)
                   .Case("q8", 8)
                   .Case("q16", 16)
                   .Case("f32", 0)
                   .Default(-1);
    if (bits < 0) {
      getOperation().emitError("expected activations of q8, q16 or f32, but "
                               "got ")
          << activations.getValue();
      return signalPassFailure();
    }
    if (bits == 0)
      return;
    for (ModelOp model : getOperation().getOps<ModelOp>())
      for (RegionOp region : model.getBody()->getOps<RegionOp>())
        quantizeInputs(model, region, bits);
  }

  static void quantizeInputs(ModelOp model, RegionOp region, unsigned bits) {
    llvm::DenseMap<std::pair<Value, Type>, Value> quantized;
    for (LinearOp linear :
         llvm::make_early_inc_range(region.getBody()->getOps<LinearOp>())) {
      auto weight = model.lookupSymbol<WeightOp>(linear.getWeight());
      NestedType nested = weight ? weight.getNested() : NestedType();
      if (!nested || nested.getScheme() != Scheme::Affine ||
          isa<QuantizedRowsType>(linear.getInput().getType()))
        continue;
      Value input = linear.getInput();
      auto type = QuantizedRowsType::get(region.getContext(), nested.getCols(),
                                         bits, nested.getGroup());
      Value &rows = quantized[{input, type}];
      if (!rows) {
        OpBuilder builder(linear);
        rows = QuantizeRowsOp::create(builder, linear.getLoc(), type, input);
      }
      linear.getInputMutable().assign(rows);
    }
  }
};
} // namespace
} // namespace pmpd
