// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Codegen/KernelLibrary.h"
#include "passes/Passes.h"
#include "pmpd/layout.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace pmpd {
#define GEN_PASS_DEF_LOWERTOCPU
#include "passes/Passes.h.inc"

namespace {
using codegen::Kernel;

int64_t columnsOf(Value value) {
  return cast<RankedTensorType>(value.getType()).getShape().back();
}

/// Bytes of `weight` that a read of all its rows at `bits` streams.
int64_t bytesRead(WeightOp weight, std::optional<int32_t> bits) {
  NestedType nested = weight.getNested();
  if (!nested)
    return weight.getRows() * weight.getCols() *
           cast<RankedTensorType>(weight.getType()).getElementTypeBitWidth() /
           8;
  int64_t params = nested.getCols() / nested.getGroup() * 4;
  if (nested.getLayout() == Layout::Plain)
    return nested.getRows() * (nested.getCols() + params);
  return pmpd_round_up(nested.getRows(), PMPD_PANEL_ROWS) *
         (nested.getCols() * *bits / 8 + params);
}

/// Lowers the regions of one model.
class Lowering {
public:
  Lowering(ModelOp model, codegen::KernelLibrary &kernels)
      : model(model), kernels(kernels) {}

  LogicalResult lower(RegionOp region);
  LogicalResult lower(ClassifierOp classifier);

private:
  LogicalResult lower(Operation *op);
  LogicalResult lowerLinear(LinearOp op);
  void launch(Operation *op, Kernel kernel,
              ArrayRef<AddressAttr> addresses);

  AddressAttr at(Space space, int64_t offset, int64_t skip = 0) {
    return AddressAttr::get(model->getContext(), space, offset, skip);
  }
  /// The place of a weight or table, or a diagnostic on `op`.
  FailureOr<AddressAttr> placeOf(Operation *op, FlatSymbolRefAttr name);
  Type elementOf(FlatSymbolRefAttr name) {
    auto weight = model.lookupSymbol<WeightOp>(name.getAttr());
    return cast<RankedTensorType>(weight.getType()).getElementType();
  }
  codegen::CacheShape cache() {
    return {model.getKvType(), int64_t(model.getKvHeads()),
            int64_t(model.getHeadDim()), int64_t(model.getContext())};
  }
  AddressAttr cacheAt(int64_t layer) {
    return at(Space::KV, 2 * layer * model.getKVPlaneBytes());
  }

  ModelOp model;
  codegen::KernelLibrary &kernels;
  llvm::DenseMap<Value, AddressAttr> places;
  llvm::DenseSet<Value> logitRows; // values that hold only those rows
  int64_t weightBytes = 0;
};

FailureOr<AddressAttr> Lowering::placeOf(Operation *op,
                                         FlatSymbolRefAttr name) {
  Operation *symbol = model.lookupSymbol(name.getAttr());
  std::optional<int64_t> offset;
  if (auto weight = dyn_cast<WeightOp>(symbol)) {
    offset = weight.getAt();
    // A lookup reads a row; what a linear layer reads depends on its bits.
    if (!isa<LinearOp>(op) || !weight.getNested())
      weightBytes += isa<EmbedOp, AddPositionOp>(op)
                         ? bytesRead(weight, {}) / weight.getRows()
                         : bytesRead(weight, {});
  } else if (auto table = dyn_cast<RopeTableOp>(symbol)) {
    offset = table.getAt();
  }
  if (!offset)
    return op->emitOpError("expected ")
           << name << " to be in the weight file; run --pmpd-pack first";
  return at(Space::Weights, *offset);
}

void Lowering::launch(Operation *op, Kernel kernel,
                      ArrayRef<AddressAttr> addresses) {
  OpBuilder builder(op);
  bool logits = llvm::any_of(op->getOperands(), [&](Value operand) {
    return logitRows.contains(operand);
  });
  SmallVector<Attribute> attributes(addresses.begin(), addresses.end());
  auto name = FlatSymbolRefAttr::get(kernel.func.getSymNameAttr());
  LaunchOp::create(builder, op->getLoc(), name, builder.getArrayAttr(attributes),
                   builder.getI64IntegerAttr(kernel.tasks),
                   kernel.rowTile ? builder.getI64IntegerAttr(kernel.rowTile)
                                  : IntegerAttr(),
                   RowsAttr::get(op->getContext(),
                                 logits ? Rows::Logits : Rows::All),
                   op->getAttrOfType<IntegerAttr>("pmpd.group"));
  if (logits && op->getNumResults() == 1)
    logitRows.insert(op->getResult(0));
}

LogicalResult Lowering::lowerLinear(LinearOp op) {
  auto weight = model.lookupSymbol<WeightOp>(op.getWeight());
  FailureOr<AddressAttr> place = placeOf(op, op.getWeightAttr());
  if (failed(place))
    return failure();
  SmallVector<AddressAttr> addresses = {*place, places[op.getInput()],
                                        places[op.getResult()]};
  Type bias;
  if (FlatSymbolRefAttr name = op.getBiasAttr()) {
    FailureOr<AddressAttr> biasPlace = placeOf(op, name);
    if (failed(biasPlace))
      return failure();
    bias = elementOf(name);
    addresses.push_back(*biasPlace);
  }
  NestedType nested = weight.getNested();
  if (!nested) {
    Type element = elementOf(op.getWeightAttr());
    launch(op,
           kernels.linearDense(
               {weight.getRows(), weight.getCols(), element, bias}),
           addresses);
    return success();
  }
  auto activations = codegen::Activations::F32;
  if (auto rows = dyn_cast<QuantizedRowsType>(op.getInput().getType()))
    activations = rows.getBits() == 8 ? codegen::Activations::Q8
                                      : codegen::Activations::Q16;
  unsigned bits = *op.getBits();
  codegen::NestedLinear shape = {
      nested.getRows(),    nested.getCols(),
      nested.getGroup(),   bits,
      nested.getBits(),    unsigned(nested.getPrefixIndex(bits)),
      activations,         bias};
  weightBytes += bytesRead(weight, op.getBits());
  if (nested.getScheme() != Scheme::Affine)
    return op.emitOpError("expected an affine weight, but got ") << nested;
  switch (nested.getLayout()) {
  case Layout::S:
    launch(op, kernels.linearS(shape), addresses);
    return success();
  case Layout::Plain:
    if (activations != codegen::Activations::F32)
      return op.emitOpError("expected f32 activations for the plain layout; "
                            "run --pmpd-quantize-rows=activations=f32");
    launch(op, kernels.linearPlain(shape), addresses);
    return success();
  case Layout::Unpacked:
  case Layout::NPU:
  case Layout::GPU:
    break;
  }
  return op.emitOpError("expected a weight packed for CPUs; run --pmpd-pack "
                        "first");
}

LogicalResult Lowering::lower(Operation *op) {
  // Where the result goes.
  if (op->getNumResults() == 1 && !places.count(op->getResult(0))) {
    if (isa<SelectLastOp>(op)) {
      // A view of the last rows; all of them if nothing precedes it.
      AddressAttr input = places[op->getOperand(0)];
      bool already = logitRows.contains(op->getOperand(0));
      places[op->getResult(0)] =
          already ? input
                  : at(input.getSpace(), input.getOffset(),
                       columnsOf(op->getResult(0)) * sizeof(float));
      logitRows.insert(op->getResult(0));
      return success();
    }
    auto offset = op->getAttrOfType<IntegerAttr>("pmpd.scratch");
    if (!offset)
      return op->emitOpError("expected a place in scratch memory; run "
                             "--pmpd-plan-memory first");
    places[op->getResult(0)] = at(Space::Scratch, offset.getInt());
  }
  auto in = [&](unsigned index) { return places[op->getOperand(index)]; };
  auto out = [&] { return places[op->getResult(0)]; };

  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case([&](LinearOp linear) { return lowerLinear(linear); })
      .Case([&](EmbedOp embed) -> LogicalResult {
        auto table = placeOf(op, embed.getTableAttr());
        if (failed(table))
          return failure();
        launch(op,
               kernels.embed(columnsOf(embed.getResult()),
                             elementOf(embed.getTableAttr()),
                             embed.getScale().convertToDouble()),
               {at(Space::Tokens, 0), *table, out()});
        return success();
      })
      .Case([&](AddPositionOp add) -> LogicalResult {
        auto table = placeOf(op, add.getTableAttr());
        if (failed(table))
          return failure();
        launch(op,
               kernels.addPosition(columnsOf(add.getResult()),
                                   elementOf(add.getTableAttr()),
                                   add.getOffset()),
               {in(0), *table, out()});
        return success();
      })
      .Case([&](RmsNormOp norm) -> LogicalResult {
        auto weight = placeOf(op, norm.getWeightAttr());
        if (failed(weight))
          return failure();
        launch(op,
               kernels.rmsNorm(columnsOf(norm.getResult()),
                               elementOf(norm.getWeightAttr()),
                               norm.getEps().convertToDouble()),
               {in(0), *weight, out()});
        return success();
      })
      .Case([&](LayerNormOp norm) -> LogicalResult {
        auto weight = placeOf(op, norm.getWeightAttr());
        auto bias = placeOf(op, norm.getBiasAttr());
        if (failed(weight) || failed(bias))
          return failure();
        launch(op,
               kernels.layerNorm(columnsOf(norm.getResult()),
                                 elementOf(norm.getWeightAttr()),
                                 elementOf(norm.getBiasAttr()),
                                 norm.getEps().convertToDouble()),
               {in(0), *weight, *bias, out()});
        return success();
      })
      .Case([&](QuantizeRowsOp quantize) {
        QuantizedRowsType type = quantize.getResult().getType();
        launch(op,
               kernels.quantizeRows(type.getCols(), type.getBits(),
                                    type.getGroup()),
               {in(0), out()});
        return success();
      })
      .Case([&](RopeOp rope) -> LogicalResult {
        auto table = placeOf(op, rope.getTableAttr());
        if (failed(table))
          return failure();
        auto symbol = model.lookupSymbol<RopeTableOp>(rope.getTable());
        int64_t heads = rope.getHeads();
        launch(op,
               kernels.rope({heads, columnsOf(rope.getResult()) / heads,
                             int64_t(symbol.getInvFreq().size()),
                             symbol.getStyle()}),
               {in(0), *table, out()});
        return success();
      })
      .Case([&](KVAppendOp append) {
        launch(op, kernels.kvAppend(cache()),
               {in(0), in(1), cacheAt(append.getLayer())});
        return success();
      })
      .Case([&](AttentionOp attention) {
        std::optional<int64_t> window;
        if (attention.getWindow())
          window = *attention.getWindow();
        launch(op,
               kernels.attention({cache(), int64_t(model.getHeads()),
                                  attention.getScale().convertToDouble(),
                                  window}),
               {in(0), cacheAt(attention.getLayer()), out()});
        return success();
      })
      .Case([&](ActivateOp activate) {
        launch(op,
               kernels.activate(columnsOf(activate.getResult()),
                                activate.getKind()),
               {in(0), out()});
        return success();
      })
      .Case<AddOp, MulOp>([&](auto binary) {
        int64_t cols = columnsOf(binary.getResult());
        launch(op, isa<AddOp>(op) ? kernels.add(cols) : kernels.mul(cols),
               {in(0), in(1), out()});
        return success();
      })
      .Default([](Operation *other) {
        return other->emitOpError("has no kernel on the CPU");
      });
}

LogicalResult Lowering::lower(RegionOp region) {
  places.clear();
  logitRows.clear();
  weightBytes = 0;
  auto yield = cast<YieldOp>(region.getBody()->getTerminator());
  if (!yield.getLogits())
    return success(); // lowered before
  Operation *last = yield.getLogits().getDefiningOp();
  if (!last || isa<SelectLastOp>(last))
    return yield.emitOpError("expected logits that an op computes");
  places[region.getTokens()] = at(Space::Tokens, 0);
  places[yield.getLogits()] = at(Space::Logits, 0);
  SmallVector<Operation *> ops;
  for (Operation &op : region.getBody()->without_terminator())
    ops.push_back(&op);
  for (Operation *op : ops)
    if (failed(lower(op)))
      return failure();
  if (!logitRows.contains(yield.getLogits()))
    return yield.emitOpError("expected logits of the rows that "
                             "pmpd.select_last keeps");
  yield.getLogitsMutable().clear();
  for (Operation *op : llvm::reverse(ops))
    op->erase();
  region.setWeightBytes(weightBytes);
  return success();
}

LogicalResult Lowering::lower(ClassifierOp classifier) {
  auto func = model->getParentOfType<ModuleOp>().lookupSymbol<func::FuncOp>(
      classifier.getFunction());
  auto scratch = func && func.getNumArguments() > 0
                     ? dyn_cast<MemRefType>(func.getArgumentTypes().back())
                     : MemRefType();
  if (!scratch || !scratch.getElementType().isInteger(8))
    return classifier.emitOpError("expected a function with scratch memory; "
                                  "run --pmpd-lower-classifiers first");
  codegen::expandFunctions(func);
  classifier.setScratch(scratch.getNumElements());
  if (model.getKvType().isF16())
    classifier.setWiden(kernels.widenCache(cache()).func.getSymName());
  return success();
}

struct LowerToCPU : impl::LowerToCPUBase<LowerToCPU> {
  using LowerToCPUBase::LowerToCPUBase;

  void runOnOperation() override {
    std::optional<codegen::ISA> parsed = codegen::parseISA(isa);
    if (!parsed) {
      getOperation().emitError(
          "expected isa portable, avx2, avxvnni, avx512vnni or amx, but got ")
          << isa.getValue();
      return signalPassFailure();
    }
    codegen::Target target;
    target.isa = *parsed;
    target.nativeHalf = nativeHalf;
    codegen::KernelLibrary kernels(getOperation(), target);
    for (ModelOp model : getOperation().getOps<ModelOp>()) {
      Lowering lowering(model, kernels);
      for (RegionOp region : model.getBody()->getOps<RegionOp>())
        if (failed(lowering.lower(region)))
          return signalPassFailure();
      for (auto classifier : model.getBody()->getOps<ClassifierOp>())
        if (failed(lowering.lower(classifier)))
          return signalPassFailure();
    }
  }
};
} // namespace
} // namespace pmpd
