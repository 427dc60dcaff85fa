// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/LowerRegions.h"
#include "pmpd/gpu_layout.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace pmpd {

using codegen::Kernel;

codegen::CacheShape cacheOf(ModelOp model) {
  return {model.getKvType(), int64_t(model.getKvHeads()),
          int64_t(model.getHeadDim()), int64_t(model.getContext())};
}

static int64_t columnsOf(Value value) {
  return cast<RankedTensorType>(value.getType()).getShape().back();
}

/// Bytes of `weight` that a read of all its rows at `bits` streams.
static int64_t bytesRead(WeightOp weight, std::optional<int32_t> bits) {
  NestedType nested = weight.getNested();
  if (!nested)
    return weight.getRows() * weight.getCols() *
           cast<RankedTensorType>(weight.getType()).getElementTypeBitWidth() /
           8;
  int64_t params = nested.getCols() / nested.getGroup() * 4;
  if (nested.getLayout() == Layout::Plain)
    return nested.getRows() * (nested.getCols() + params);
  int64_t cols = nested.getLayout() == Layout::GPU
                     ? pmpd_round_up(nested.getCols(), PMPD_GPU_TILE_COLS)
                     : nested.getCols();
  return pmpd_round_up(nested.getRows(), PMPD_PANEL_ROWS) *
         (cols * *bits / 8 + params);
}

FailureOr<AddressAttr> RegionLowering::placeOf(Operation *op,
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

void RegionLowering::launch(Operation *op, Kernel kernel,
                            ArrayRef<AddressAttr> addresses) {
  OpBuilder builder(op);
  bool logits = llvm::any_of(op->getOperands(), [&](Value operand) {
    return logitRows.contains(operand);
  });
  SmallVector<Attribute> attributes(addresses.begin(), addresses.end());
  auto name = FlatSymbolRefAttr::get(kernel.func.getNameAttr());
  // Kernels of a device are in a module of their own.
  Operation *around = kernel.func->getParentOp();
  SymbolRefAttr symbol = name;
  if (auto module = dyn_cast<gpu::GPUModuleOp>(around))
    symbol = SymbolRefAttr::get(module.getNameAttr(), {name});
  LaunchOp::create(
      builder, op->getLoc(), symbol, builder.getArrayAttr(attributes),
      builder.getI64IntegerAttr(kernel.tasks),
      kernel.rowTile ? builder.getI64IntegerAttr(kernel.rowTile)
                     : IntegerAttr(),
      RowsAttr::get(op->getContext(), logits ? Rows::Logits : Rows::All),
      op->getAttrOfType<IntegerAttr>("pmpd.group"));
  if (logits && op->getNumResults() == 1)
    logitRows.insert(op->getResult(0));
}

LogicalResult RegionLowering::lowerLinear(LinearOp op) {
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
               {weight.getRows(), weight.getCols(), element, bias, maxRows}),
           addresses);
    return success();
  }
  auto activations = codegen::Activations::F32;
  if (auto rows = dyn_cast<QuantizedRowsType>(op.getInput().getType()))
    activations = rows.getBits() == 8 ? codegen::Activations::Q8
                                      : codegen::Activations::Q16;
  if (nested.getScheme() != Scheme::Affine)
    return op.emitOpError("expected an affine weight, but got ") << nested;
  unsigned bits = *op.getBits();
  llvm::Expected<Kernel> kernel = kernels.linearNested(
      nested.getLayout(),
      {nested.getRows(), nested.getCols(), nested.getGroup(), bits,
       nested.getBits(), unsigned(nested.getPrefixIndex(bits)), activations,
       bias, maxRows});
  if (!kernel)
    return op.emitOpError() << llvm::toString(kernel.takeError());
  weightBytes += bytesRead(weight, op.getBits());
  launch(op, *kernel, addresses);
  return success();
}

void RegionLowering::lowerAttention(AttentionOp op) {
  std::optional<int64_t> window;
  if (op.getWindow())
    window = *op.getWindow();
  codegen::AttentionKernels attention =
      kernels.attention({cacheOf(model), int64_t(model.getHeads()),
                         op.getScale().convertToDouble(), window, maxRows});
  AddressAttr query = places[op.getQuery()], result = places[op.getResult()],
              cache = cacheAt(op.getLayer());
  if (!attention.combine)
    return launch(op, attention.kernel, {query, cache, result});
  // All layers write their partial results to the same place.
  partialBytes = std::max(partialBytes, attention.partialBytes);
  AddressAttr partial = at(Space::Scratch, planned);
  launch(op, attention.kernel, {query, cache, partial});
  launch(op, *attention.combine, {partial, result});
}

LogicalResult RegionLowering::lower(Operation *op) {
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
        int64_t cols = model.lookupSymbol<WeightOp>(norm.getWeight()).getCols();
        launch(op,
               kernels.rmsNorm(columnsOf(norm.getResult()) / cols, cols,
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
        launch(op, kernels.kvAppend(cacheOf(model)),
               {in(0), in(1), cacheAt(append.getLayer())});
        return success();
      })
      .Case([&](AttentionOp attention) {
        lowerAttention(attention);
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
      .Default(
          [](Operation *other) { return other->emitOpError("has no kernel"); });
}

LogicalResult RegionLowering::lower(RegionOp region) {
  places.clear();
  logitRows.clear();
  weightBytes = partialBytes = 0;
  maxRows = region.getMaxRows();
  planned = pmpd_round_up(region.getScratch().value_or(0), PMPD_LINE_BYTES);
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
  if (partialBytes)
    region.setScratch(planned + partialBytes);
  return success();
}

LogicalResult lowerClassifier(ClassifierOp classifier, ModelOp model,
                              codegen::CpuKernels &kernels) {
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
    classifier.setWiden(kernels.widenCache(cacheOf(model)).func.getName());
  return success();
}

} // namespace pmpd
