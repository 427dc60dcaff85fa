// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/NPU/NPU.h"
#include "passes/Model.h"
#include "passes/NpuLayers.h"
#include "passes/Passes.h"

#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace pmpd {
#define GEN_PASS_DEF_NPUOUTLINE
#include "passes/Passes.h.inc"

namespace {
using npu::Base;
using npu::Unit;

/// A value in the scratchpad.
struct Placed {
  Value buffer;
  Value scales; // of quantized rows
  Value rows;   // register with the number of rows, null for one
  Value offset; // register with where the first of them is, or null
};

/// Makes the program of one region.
class Outliner {
public:
  Outliner(ModelOp model, RegionOp region)
      : model(model), region(region), b(region.getLoc(), region) {}

  LogicalResult outline();

private:
  LogicalResult emit(ArrayRef<Operation *> ops);
  LogicalResult emitLayers(ArrayRef<Operation *> ops, const Layers &layers);
  LogicalResult emit(Operation *op);
  LogicalResult embed(EmbedOp op);
  LogicalResult normalize(RmsNormOp op);
  LogicalResult linear(LinearOp op);
  LogicalResult rotate(RopeOp op);
  LogicalResult append(KVAppendOp op);
  LogicalResult attend(AttentionOp op);
  LogicalResult activate(ActivateOp op);
  void quantize(QuantizeRowsOp op);
  void combine(Operation *op, npu::EltFn fn);
  void selectLast(SelectLastOp op);
  LogicalResult loadRopeTables();

  bool isDecode() { return region.getPhase() == Phase::Decode; }
  int64_t columns(Value value) {
    return cast<RankedTensorType>(value.getType()).getShape().back();
  }
  Value alloc(int64_t bytes) { return npu::allocate(b, bytes); }
  /// A buffer of so many bytes for each row of a call.
  Value allocRows(int64_t bytes) {
    return npu::allocateRows(b, bytes, maxRows);
  }
  Value reg(std::optional<npu::Role> role = {}) {
    return npu::RegOp::create(b, npu::RegType::get(b.getContext()),
                              role ? npu::RoleAttr::get(b.getContext(), *role)
                                   : npu::RoleAttr(),
                              IntegerAttr());
  }
  void salu(npu::SaluFn fn, Value rd, Value x, Value y, int64_t imm) {
    npu::SaluOp::create(b, fn, rd, x, y, imm, Value(), Value(), Value(),
                        ValueRange(), ValueRange());
  }
  /// Loads `bytes`, or as many as the register `length` says.
  void load(Unit unit, Value buffer, Base base, Value offset, int64_t imm,
            int64_t bytes, Value in = {}, Value length = {}) {
    npu::LdOp::create(b, buffer, base, offset, imm, 1, bytes, 0, 0, 0,
                      static_cast<bool>(length), unit, in, Value(), length,
                      ValueRange(), ValueRange());
  }
  /// Where the bytes of a weight or table are, or a diagnostic on `op`.
  FailureOr<int64_t> placeOf(Operation *op, FlatSymbolRefAttr name);
  /// The buffer of a result; that of the layers' input for their output.
  Value resultBuffer(Value result) {
    return result == layersOutput ? values[layersInput].buffer
                                  : allocRows(columns(result) * 4);
  }
  Placed like(Value operand, Value buffer) {
    Placed placed = values[operand];
    placed.buffer = buffer;
    placed.offset = Value();
    return placed;
  }

  ModelOp model;
  RegionOp region;
  ImplicitLocOpBuilder b;
  npu::ProgramOp program;
  int64_t maxRows = 1;
  Value tokens, position, rows, logitRows; // registers; the last two or null
  Value layerWeights, layerKV;             // registers in the layers' loop
  Value layersInput, layersOutput;         // of the layer that is looped
  DenseMap<Value, Placed> values;
  DenseMap<Attribute, Value> ropeTables; // rows from the position on
};

FailureOr<int64_t> Outliner::placeOf(Operation *op, FlatSymbolRefAttr name) {
  Operation *symbol = model.lookupSymbol(name.getAttr());
  std::optional<int64_t> at;
  if (auto weight = dyn_cast<WeightOp>(symbol))
    at = weight.getAt();
  else
    at = cast<RopeTableOp>(symbol).getAt();
  if (!at)
    return op->emitOpError("expected ")
           << name << " to be in the weight file; run --pmpd-pack first";
  return *at;
}

LogicalResult Outliner::embed(EmbedOp op) {
  auto table = model.lookupSymbol<WeightOp>(op.getTable());
  FailureOr<int64_t> at = placeOf(op, op.getTableAttr());
  if (failed(at))
    return failure();
  int64_t cols = columns(op.getResult());
  bool half = cast<RankedTensorType>(table.getType()).getElementType().isF16();
  int64_t rowBytes = cols * (half ? 2 : 4);
  Value stored = allocRows(rowBytes);
  Value entry = reg(), next = reg(), offset = reg();
  salu(npu::SaluFn::Mov, next, {}, {}, 0);
  salu(npu::SaluFn::Mov, offset, {}, {}, 0);
  auto gather = [&] {
    salu(npu::SaluFn::Ld32, entry, tokens, next, 0);
    salu(npu::SaluFn::Mul, entry, entry, {}, rowBytes);
    load(Unit::ActivationDMA, stored, Base::Weights, entry, *at, rowBytes,
         offset);
    salu(npu::SaluFn::Add, next, next, {}, 4);
    salu(npu::SaluFn::Add, offset, offset, {}, rowBytes);
  };
  if (isDecode()) {
    gather();
  } else {
    auto loop = npu::LoopOp::create(b, rows);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    gather();
  }
  Value result = allocRows(cols * 4);
  float scale = op.getScale().convertToDouble();
  npu::EltOp::create(b, half ? npu::EltFn::Cvt32 : npu::EltFn::Scale, stored,
                     Value(), result, cols, APFloat(scale), Value(), Value(),
                     rows, ValueRange(), ValueRange());
  values[op.getResult()] = {result, {}, rows, {}};
  return success();
}

LogicalResult Outliner::loadRopeTables() {
  LogicalResult loaded = success();
  region.walk([&](RopeOp op) {
    Value &buffer = ropeTables[op.getTableAttr()];
    FailureOr<int64_t> at = placeOf(op, op.getTableAttr());
    if (buffer || failed(loaded) || failed(at)) {
      loaded = success(succeeded(loaded) && succeeded(at));
      return;
    }
    auto table = model.lookupSymbol<RopeTableOp>(op.getTable());
    int64_t rowBytes = 2 * table.getInvFreq().size() * 4;
    buffer = allocRows(rowBytes);
    Value offset = reg();
    salu(npu::SaluFn::Mul, offset, position, {}, rowBytes);
    Value length;
    if (rows) {
      length = reg();
      salu(npu::SaluFn::Mul, length, rows, {}, rowBytes);
    }
    load(Unit::ActivationDMA, buffer, Base::Weights, offset, *at, rowBytes, {},
         length);
  });
  return loaded;
}

LogicalResult Outliner::normalize(RmsNormOp op) {
  FailureOr<int64_t> at = placeOf(op, op.getWeightAttr());
  if (failed(at))
    return failure();
  int64_t cols = columns(op.getResult());
  Placed input = values[op.getInput()];
  Value weight = alloc(cols * 4), result = allocRows(cols * 4);
  load(Unit::ActivationDMA, weight, Base::Weights, layerWeights, *at, cols * 4);
  float eps = op.getEps().convertToDouble();
  npu::NormOp::create(b, npu::NormKind::RMS, input.buffer, weight, Value(),
                      result, cols, APFloat(eps), input.offset, Value(),
                      input.rows, ValueRange(), ValueRange());
  values[op.getResult()] = like(op.getInput(), result);
  return success();
}

void Outliner::quantize(QuantizeRowsOp op) {
  QuantizedRowsType type = op.getResult().getType();
  Placed input = values[op.getInput()];
  Placed placed =
      like(op.getInput(), allocRows(type.getCols() * type.getBits() / 8));
  placed.scales = allocRows(type.getCols() / type.getGroup() *
                            sizeof(pmpd_npu_group_scale));
  npu::QactOp::create(b, input.buffer, placed.buffer, placed.scales,
                      type.getCols(), type.getGroup(), type.getBits(),
                      input.offset, Value(), input.rows, ValueRange(),
                      ValueRange());
  values[op.getResult()] = placed;
}

LogicalResult Outliner::linear(LinearOp op) {
  auto weight = model.lookupSymbol<WeightOp>(op.getWeight());
  NestedType nested = weight.getNested();
  auto type = dyn_cast<QuantizedRowsType>(op.getInput().getType());
  if (!nested || nested.getLayout() != Layout::NPU || !type)
    return op.emitOpError("expected a nested weight in the layout npu and "
                          "quantized rows; compile with --bits 2,3,4 and "
                          "--activations q8 or q16");
  FailureOr<int64_t> at = placeOf(op, op.getWeightAttr());
  if (failed(at))
    return failure();
  Placed input = values[op.getInput()];
  Value yielded = cast<YieldOp>(region.getBody()->getTerminator()).getLogits();
  bool logits = op.getResult() == yielded;
  int64_t width = llvm::alignTo(nested.getRows(), PMPD_NPU_ROW_BLOCK);
  if (!logits && width != nested.getRows())
    return op.emitOpError("expected a multiple of 64 rows, but got ")
           << nested.getRows();
  if (logits && op.getBias())
    return op.emitOpError("expected logits without a bias");
  Value result = logits ? Value() : allocRows(width * 4);
  if (op.getBias()) {
    FailureOr<int64_t> bias = placeOf(op, op.getBiasAttr());
    if (failed(bias))
      return failure();
    // The same row for every token; the product adds to it.
    npu::LdOp::create(b, result, Base::Weights, layerWeights, *bias, 1,
                      width * 4, 0, width * 4, 0, false, Unit::ActivationDMA,
                      Value(), Value(), input.rows, ValueRange(), ValueRange());
  }
  SmallVector<int32_t> prefixes(nested.getPrefixes().begin(),
                                nested.getPrefixes().end());
  npu::LinearOp::create(
      b, input.buffer, input.scales, result, layerWeights, input.rows, *at,
      nested.getRows(), nested.getCols(), nested.getGroup(), nested.getBits(),
      prefixes, *op.getBits(), type.getBits(), static_cast<bool>(op.getBias()));
  if (!logits)
    values[op.getResult()] = like(op.getInput(), result);
  return success();
}

LogicalResult Outliner::rotate(RopeOp op) {
  if (!op.getInput().hasOneUse())
    return op.emitOpError("expected to be the only use of its input");
  auto table = model.lookupSymbol<RopeTableOp>(op.getTable());
  Placed input = values[op.getInput()];
  int64_t heads = op.getHeads();
  npu::RopeOp::create(b, input.buffer, ropeTables[op.getTableAttr()],
                      static_cast<npu::RotaryStyle>(table.getStyle()), heads,
                      columns(op.getResult()) / heads,
                      table.getInvFreq().size(), Value(), Value(), input.rows,
                      ValueRange(), ValueRange());
  values[op.getResult()] = input;
  return success();
}

LogicalResult Outliner::append(KVAppendOp op) {
  int64_t heads = model.getKvHeads(), dim = model.getHeadDim();
  int64_t rowBytes = dim * 2, stretch = model.getContext() * rowBytes;
  if (stretch % 64 != 0 || (rows && rowBytes % 64 != 0))
    return op.emitOpError("expected heads of a multiple of 32 elements, but "
                          "got ")
           << dim;
  Value at = reg();
  salu(npu::SaluFn::Mul, at, position, {}, rowBytes);
  if (layerKV)
    salu(npu::SaluFn::Add, at, at, layerKV, 0);
  int64_t layer = layerKV ? 0 : 2 * op.getLayer() * model.getKVPlaneBytes();
  Value sources[2] = {op.getKeys(), op.getValues()}, halves[2];
  for (auto [half, source] : llvm::zip(halves, sources)) {
    half = allocRows(heads * rowBytes);
    npu::KvqOp::create(b, values[source].buffer, half, heads, dim, Value(),
                       Value(), rows, ValueRange(), ValueRange());
  }
  auto store = [&](int64_t count, int64_t remoteStride, int64_t localStride,
                   Value in) {
    for (auto [plane, half] : llvm::enumerate(halves))
      npu::StOp::create(
          b, half, Base::KV, at, layer + plane * model.getKVPlaneBytes(), count,
          rowBytes, remoteStride, localStride, 0, false, Unit::StoreDMA, in,
          Value(), in ? rows : Value(), ValueRange(), ValueRange());
  };
  if (!rows) {
    store(heads, stretch, rowBytes, {});
    return success();
  }
  Value head = reg();
  salu(npu::SaluFn::Mov, head, {}, {}, 0);
  auto loop = npu::LoopOp::create(b, heads);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  store(1, rowBytes, heads * rowBytes, head);
  salu(npu::SaluFn::Add, head, head, {}, rowBytes);
  salu(npu::SaluFn::Add, at, at, {}, stretch);
  return success();
}

LogicalResult Outliner::attend(AttentionOp op) {
  int64_t heads = model.getHeads(), dim = model.getHeadDim();
  if (op.getWindow())
    return op.emitOpError("expected attention without a window, which the "
                          "accelerator lacks");
  if (dim % 8 != 0)
    return op.emitOpError("expected heads of a multiple of 8 elements, but "
                          "got ")
           << dim;
  Value offset = layerKV;
  if (!offset) {
    offset = reg();
    salu(npu::SaluFn::Mov, offset, {}, {},
         2 * op.getLayer() * model.getKVPlaneBytes());
  }
  Placed query = values[op.getQuery()];
  Value result = allocRows(heads * dim * 4);
  float scale = op.getScale().convertToDouble();
  npu::AttentionOp::create(b, query.buffer, result, position, offset,
                           query.rows, APFloat(scale), heads,
                           model.getKvHeads(), dim, model.getContext());
  values[op.getResult()] = like(op.getQuery(), result);
  return success();
}

LogicalResult Outliner::activate(ActivateOp op) {
  npu::EltFn fn;
  switch (op.getKind()) {
  case ActivationKind::Silu:
    fn = npu::EltFn::Silu;
    break;
  case ActivationKind::GeluTanh:
    fn = npu::EltFn::GeluTanh;
    break;
  case ActivationKind::GeluErf:
    fn = npu::EltFn::GeluErf;
    break;
  case ActivationKind::Relu:
    fn = npu::EltFn::Relu;
    break;
  }
  combine(op, fn);
  return success();
}

void Outliner::combine(Operation *op, npu::EltFn fn) {
  int64_t cols = columns(op->getResult(0));
  Placed first = values[op->getOperand(0)];
  Value second =
      op->getNumOperands() == 2 ? values[op->getOperand(1)].buffer : Value();
  Value result = resultBuffer(op->getResult(0));
  npu::EltOp::create(b, fn, first.buffer, second, result, cols, APFloat(1.0f),
                     Value(), Value(), first.rows, ValueRange(), ValueRange());
  values[op->getResult(0)] = like(op->getOperand(0), result);
}

void Outliner::selectLast(SelectLastOp op) {
  Placed placed = values[op.getInput()];
  if (!isDecode()) {
    // Most chunks of a prompt need no logits.
    Value any = reg();
    salu(npu::SaluFn::Min, any, logitRows, {}, 1);
    auto loop = npu::LoopOp::create(b, any);
    b.setInsertionPointToStart(loop.getBody());
    placed.offset = reg();
    salu(npu::SaluFn::Sub, placed.offset, rows, logitRows, 0);
    salu(npu::SaluFn::Mul, placed.offset, placed.offset, {},
         columns(op.getResult()) * 4);
    placed.rows = logitRows;
  }
  values[op.getResult()] = placed;
}

LogicalResult Outliner::emit(Operation *op) {
  b.setLoc(op->getLoc());
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case([&](EmbedOp op) { return embed(op); })
      .Case([&](RmsNormOp op) { return normalize(op); })
      .Case([&](LinearOp op) { return linear(op); })
      .Case([&](RopeOp op) { return rotate(op); })
      .Case([&](KVAppendOp op) { return append(op); })
      .Case([&](AttentionOp op) { return attend(op); })
      .Case([&](ActivateOp op) { return activate(op); })
      .Case([&](QuantizeRowsOp op) { return quantize(op), success(); })
      .Case([&](AddOp op) { return combine(op, npu::EltFn::Add), success(); })
      .Case([&](MulOp op) { return combine(op, npu::EltFn::Mul), success(); })
      .Case([&](SelectLastOp op) { return selectLast(op), success(); })
      .Default([](Operation *op) {
        return op->emitOpError("has no instruction on the accelerator; compile "
                               "a Llama-shaped model, or for a CPU");
      });
}

LogicalResult Outliner::emit(ArrayRef<Operation *> ops) {
  for (Operation *op : ops)
    if (failed(emit(op)))
      return failure();
  return success();
}

LogicalResult Outliner::emitLayers(ArrayRef<Operation *> ops,
                                   const Layers &layers) {
  layersInput = layers.input;
  layersOutput = layers.output;
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
  values[last->getResult(0)] = values[layersInput];
  layersOutput = layerWeights = layerKV = Value();
  return success();
}

LogicalResult Outliner::outline() {
  SmallVector<Operation *> ops;
  for (Operation &op : region.getBody()->without_terminator())
    ops.push_back(&op);
  Layers layers = findLayers(model, ops);

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
  if (layers.count > 0 && failed(emitLayers(ops, layers)))
    return failure();
  if (failed(emit(ArrayRef(ops).drop_front(layers.begin +
                                           layers.count * layers.period))))
    return failure();
  b.setInsertionPointToEnd(program.getBody());
  npu::HaltOp::create(b, Value(), Value(), Value(), ValueRange(), ValueRange());
  return success();
}

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
      if (failed(Outliner(*model, region).outline()))
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
