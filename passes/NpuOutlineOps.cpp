// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What each op of a region becomes.
#include "passes/NpuOutliner.h"

using namespace mlir;
using namespace pmpd;
using npu::Base;
using npu::Unit;

static bool isHalf(WeightOp weight) {
  return cast<RankedTensorType>(weight.getType()).getElementType().isF16();
}

FailureOr<int64_t> NpuOutliner::placeOf(Operation *op, FlatSymbolRefAttr name) {
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

FailureOr<NpuOutliner::Table> NpuOutliner::tableOf(Operation *op,
                                                   FlatSymbolRefAttr name) {
  FailureOr<int64_t> at = placeOf(op, name);
  if (failed(at))
    return failure();
  int64_t cols = columns(op->getResult(0));
  bool half = isHalf(model.lookupSymbol<WeightOp>(name.getAttr()));
  return Table{*at, cols, half, cols * (half ? 2 : 4)};
}

LogicalResult NpuOutliner::embed(EmbedOp op) {
  FailureOr<Table> table = tableOf(op, op.getTableAttr());
  if (failed(table))
    return failure();
  int64_t rowBytes = table->rowBytes;
  Value stored = allocRows(rowBytes);
  Value entry = reg(), next = reg(), offset = reg();
  salu(npu::SaluFn::Mov, next, {}, {}, 0);
  salu(npu::SaluFn::Mov, offset, {}, {}, 0);
  auto gather = [&] {
    salu(npu::SaluFn::Ld32, entry, tokens, next, 0);
    salu(npu::SaluFn::Mul, entry, entry, {}, rowBytes);
    load(Unit::ActivationDMA, stored, Base::Weights, entry, table->at, rowBytes,
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
  Value result = widen(stored, table->half, op.getScale().convertToDouble(),
                       table->cols, rows);
  values[op.getResult()] = {result, {}, rows, {}};
  return success();
}

/// Rows of f16 or f32, times a factor, as f32.
Value NpuOutliner::widen(Value stored, bool half, float scale, int64_t cols,
                         Value count) {
  Value result = allocRows(cols * 4);
  npu::EltOp::create(b, half ? npu::EltFn::Cvt32 : npu::EltFn::Scale, stored,
                     Value(), result, cols, APFloat(scale), Value(), Value(),
                     count, ValueRange(), ValueRange());
  return result;
}

/// Loads the rows of a table at the positions of the call's tokens.
Value NpuOutliner::loadPositions(int64_t at, int64_t rowBytes) {
  Value buffer = allocRows(rowBytes);
  Value offset = reg(), length;
  salu(npu::SaluFn::Mul, offset, position, {}, rowBytes);
  if (rows) {
    length = reg();
    salu(npu::SaluFn::Mul, length, rows, {}, rowBytes);
  }
  load(Unit::ActivationDMA, buffer, Base::Weights, offset, at, rowBytes, {},
       length);
  return buffer;
}

LogicalResult NpuOutliner::addPosition(AddPositionOp op) {
  FailureOr<Table> table = tableOf(op, op.getTableAttr());
  if (failed(table))
    return failure();
  int64_t first = op.getOffset() * table->rowBytes;
  if (first % 64 != 0)
    return op.emitOpError("expected positions from a multiple of 64 bytes, but "
                          "got row ")
           << op.getOffset() << " of " << table->rowBytes;
  Placed input = values[op.getInput()];
  Value wide = loadPositions(table->at + first, table->rowBytes);
  if (table->half)
    wide = widen(wide, /*half=*/true, 1, table->cols, input.rows);
  Value result = allocRows(table->cols * 4);
  npu::EltOp::create(b, npu::EltFn::Add, input.buffer, wide, result,
                     table->cols, APFloat(1.0f), Value(), Value(), input.rows,
                     ValueRange(), ValueRange());
  values[op.getResult()] = like(op.getInput(), result);
  return success();
}

LogicalResult NpuOutliner::loadRopeTables() {
  LogicalResult loaded = success();
  region.walk([&](RopeOp op) {
    Value &buffer = ropeTables[op.getTableAttr()];
    FailureOr<int64_t> at = placeOf(op, op.getTableAttr());
    if (buffer || failed(loaded) || failed(at)) {
      loaded = success(succeeded(loaded) && succeeded(at));
      return;
    }
    auto table = model.lookupSymbol<RopeTableOp>(op.getTable());
    buffer = loadPositions(*at, 2 * table.getInvFreq().size() * 4);
  });
  return loaded;
}

FailureOr<Value> NpuOutliner::loadVector(Operation *op, FlatSymbolRefAttr name,
                                         int64_t cols) {
  FailureOr<int64_t> at = placeOf(op, name);
  if (failed(at))
    return failure();
  Value vector = alloc(cols * 4);
  load(Unit::ActivationDMA, vector, Base::Weights, layerWeights, *at, cols * 4);
  return vector;
}

LogicalResult NpuOutliner::normalize(Operation *op, npu::NormKind kind,
                                     FlatSymbolRefAttr weight,
                                     FlatSymbolRefAttr bias, float eps) {
  int64_t width = columns(op->getResult(0));
  int64_t cols = model.lookupSymbol<WeightOp>(weight.getAttr()).getCols();
  Placed input = values[op->getOperand(0)];
  FailureOr<Value> scales = loadVector(op, weight, cols);
  FailureOr<Value> added = bias ? loadVector(op, bias, cols) : Value();
  if (failed(scales) || failed(added))
    return failure();
  // The heads of a row are rows to the instruction.
  Value vectors = input.rows;
  if (int64_t heads = width / cols; heads > 1) {
    vectors = reg();
    if (input.rows)
      salu(npu::SaluFn::Mul, vectors, input.rows, {}, heads);
    else
      salu(npu::SaluFn::Mov, vectors, {}, {}, heads);
  }
  Value result = allocRows(width * 4);
  npu::NormOp::create(b, kind, input.buffer, *scales, *added, result, cols,
                      APFloat(eps), input.offset, Value(), vectors,
                      ValueRange(), ValueRange());
  values[op->getResult(0)] = like(op->getOperand(0), result);
  return success();
}

void NpuOutliner::quantize(QuantizeRowsOp op) {
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

LogicalResult NpuOutliner::linear(LinearOp op) {
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
  if (logits && input.rows != logitRows)
    return op.emitOpError("expected pmpd.select_last before the logits");
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

LogicalResult NpuOutliner::rotate(RopeOp op) {
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

LogicalResult NpuOutliner::append(KVAppendOp op) {
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

LogicalResult NpuOutliner::attend(AttentionOp op) {
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

LogicalResult NpuOutliner::activate(ActivateOp op) {
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
  return combine(op, fn);
}

LogicalResult NpuOutliner::combine(Operation *op, npu::EltFn fn) {
  // Only what normalizes or quantizes rows can begin in the middle of a call.
  for (Value operand : op->getOperands())
    if (values[operand].offset)
      return op->emitOpError("expected a normalization or linear layer behind "
                             "pmpd.select_last");
  int64_t cols = columns(op->getResult(0));
  Placed first = values[op->getOperand(0)];
  Value second =
      op->getNumOperands() == 2 ? values[op->getOperand(1)].buffer : Value();
  Value result = resultBuffer(op->getResult(0));
  npu::EltOp::create(b, fn, first.buffer, second, result, cols, APFloat(1.0f),
                     Value(), Value(), first.rows, ValueRange(), ValueRange());
  values[op->getResult(0)] = like(op->getOperand(0), result);
  return success();
}

void NpuOutliner::selectLast(SelectLastOp op) {
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
