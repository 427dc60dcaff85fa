// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Reference/Interpreter.h"
#include "lib/Quant/Multiply.h"
#include "lib/Reference/RopeTable.h"
#include "lib/Reference/WeightReader.h"

#include "mlir/IR/Threading.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace pmpd;

namespace {
/// A value of the IR.
struct Activations {
  RowMatrix data;
  bool selected = false; // Only the rows that pmpd.select_last kept.
};

/// The rows of one sequence in a value.
struct Extent {
  int64_t begin, count;
  int64_t position; // Of the first.
};

class Run {
public:
  Run(Operation *phase, MutableArrayRef<Sequence> sequences,
      const InterpreterOptions &options)
      : phase(phase), model(cast<ModelOp>(phase->getParentOp())),
        sequences(sequences), options(options) {}

  FailureOr<RowMatrix> execute();

private:
  LogicalResult checkTokens();
  FailureOr<Activations> evaluate(Operation *op);
  FailureOr<Activations> embed(EmbedOp op);
  FailureOr<Activations> addPosition(AddPositionOp op);
  FailureOr<Activations> linear(LinearOp op);
  LogicalResult apply(LinearOp op, const WeightReader &reader,
                      const NestedTensor *codes, int32_t bits,
                      Eigen::Ref<const RowMatrix> input,
                      Eigen::Ref<RowMatrix> result);
  FailureOr<Activations> append(KVAppendOp op);
  FailureOr<Activations> attend(AttentionOp op);
  FailureOr<Activations> combine(Operation *op);
  Activations rotate(RopeOp op);
  Activations selectLast(SelectLastOp op);

  const Activations &get(Value value) const {
    return values.find(value)->second;
  }
  std::vector<Extent> getExtents(bool selected) const;
  int64_t countRows(bool selected) const;
  WeightOp getWeight(StringRef name) {
    return model.lookupSymbol<WeightOp>(name);
  }
  FailureOr<std::vector<float>> readVector(StringRef name);

  Operation *phase;
  ModelOp model;
  MutableArrayRef<Sequence> sequences;
  const InterpreterOptions &options;
  DenseMap<Value, Activations> values;
};
} // namespace

FailureOr<RowMatrix> pmpd::interpret(Operation *phase,
                                     MutableArrayRef<Sequence> sequences,
                                     const InterpreterOptions &options) {
  return Run(phase, sequences, options).execute();
}

LogicalResult Run::checkTokens() {
  for (Sequence &sequence : sequences) {
    int64_t total = sequence.position + sequence.tokens.size();
    if (total > static_cast<int64_t>(model.getContext()))
      return phase->emitOpError("expected at most ")
             << model.getContext() << " tokens of context, but got " << total;
    for (int32_t token : sequence.tokens)
      if (token < 0 || token >= static_cast<int64_t>(model.getVocab()))
        return phase->emitOpError("expected tokens in [0, ")
               << model.getVocab() << "), but got " << token;
    sequence.layers.resize(model.getLayers());
  }
  return success();
}

FailureOr<RowMatrix> Run::execute() {
  if (failed(checkTokens()))
    return failure();
  Block &block = phase->getRegion(0).front();
  for (Operation &op : block.without_terminator()) {
    FailureOr<Activations> result = evaluate(&op);
    if (failed(result))
      return failure();
    if (op.getNumResults() != 0)
      values[op.getResult(0)] = std::move(*result);
    for (Value operand : op.getOperands())
      if (llvm::none_of(operand.getUsers(), [&](Operation *user) {
            return op.isBeforeInBlock(user);
          }))
        values.erase(operand);
  }
  for (Sequence &sequence : sequences)
    sequence.position += sequence.tokens.size();
  Value logits = cast<YieldOp>(block.getTerminator()).getLogits();
  return logits ? std::move(values[logits].data) : RowMatrix();
}

std::vector<Extent> Run::getExtents(bool selected) const {
  std::vector<Extent> extents;
  int64_t begin = 0;
  for (const Sequence &sequence : sequences) {
    int64_t tokens = sequence.tokens.size();
    int64_t count = selected
                        ? std::min(options.logitRows.value_or(tokens), tokens)
                        : tokens;
    extents.push_back({begin, count, sequence.position + tokens - count});
    begin += count;
  }
  return extents;
}

int64_t Run::countRows(bool selected) const {
  int64_t count = 0;
  for (Extent extent : getExtents(selected))
    count += extent.count;
  return count;
}

FailureOr<std::vector<float>> Run::readVector(StringRef name) {
  FailureOr<WeightReader> reader = WeightReader::open(getWeight(name));
  if (failed(reader))
    return failure();
  return reader->read(0, 1);
}

FailureOr<Activations> Run::evaluate(Operation *op) {
  return TypeSwitch<Operation *, FailureOr<Activations>>(op)
      .Case([&](EmbedOp op) { return embed(op); })
      .Case([&](AddPositionOp op) { return addPosition(op); })
      .Case([&](RmsNormOp op) -> FailureOr<Activations> {
        auto weight = readVector(op.getWeight());
        if (failed(weight))
          return failure();
        const Activations &input = get(op.getInput());
        return Activations{
            rmsNorm(input.data, *weight, op.getEps().convertToDouble()),
            input.selected};
      })
      .Case([&](LayerNormOp op) -> FailureOr<Activations> {
        auto weight = readVector(op.getWeight());
        auto bias = readVector(op.getBias());
        if (failed(weight) || failed(bias))
          return failure();
        const Activations &input = get(op.getInput());
        return Activations{layerNorm(input.data, *weight, *bias,
                                     op.getEps().convertToDouble()),
                           input.selected};
      })
      .Case([&](QuantizeRowsOp op) {
        const Activations &input = get(op.getInput());
        QuantizedRowsType type = op.getResult().getType();
        return Activations{
            quantizeRows(input.data, type.getBits(), type.getGroup()),
            input.selected};
      })
      .Case([&](LinearOp op) { return linear(op); })
      .Case([&](RopeOp op) { return rotate(op); })
      .Case([&](KVAppendOp op) { return append(op); })
      .Case([&](AttentionOp op) { return attend(op); })
      .Case([&](ActivateOp op) {
        const Activations &input = get(op.getInput());
        return Activations{activate(input.data, op.getKind()), input.selected};
      })
      .Case<AddOp, MulOp>([&](Operation *op) { return combine(op); })
      .Case([&](SelectLastOp op) { return selectLast(op); })
      .Default([](Operation *op) {
        return op->emitError("expected an op of the decoder; interpret a "
                             "phase before it is lowered");
      });
}

FailureOr<Activations> Run::embed(EmbedOp op) {
  FailureOr<WeightReader> reader = WeightReader::open(getWeight(op.getTable()));
  if (failed(reader))
    return failure();
  RowMatrix result(countRows(false), reader->getCols());
  float scale = op.getScale().convertToDouble();
  int64_t t = 0;
  for (const Sequence &sequence : sequences)
    for (int32_t token : sequence.tokens) {
      std::vector<float> row = reader->read(token, token + 1);
      result.row(t++) =
          scale * Eigen::Map<Eigen::RowVectorXf>(row.data(), row.size());
    }
  return Activations{std::move(result)};
}

FailureOr<Activations> Run::addPosition(AddPositionOp op) {
  FailureOr<WeightReader> reader = WeightReader::open(getWeight(op.getTable()));
  if (failed(reader))
    return failure();
  Activations result = get(op.getInput());
  for (Extent extent : getExtents(result.selected)) {
    int64_t first = extent.position + op.getOffset();
    std::vector<float> rows = reader->read(first, first + extent.count);
    result.data.middleRows(extent.begin, extent.count) +=
        Eigen::Map<RowMatrix>(rows.data(), extent.count, reader->getCols());
  }
  return result;
}

/// result = input * weight^T, threaded over blocks of the weight's rows, each
/// of which `read` returns.
template <typename Read>
static void multiply(MLIRContext *context, Eigen::Ref<const RowMatrix> input,
                     Read read, Eigen::Ref<RowMatrix> result) {
  constexpr int64_t BlockRows = 256;
  int64_t blocks = (result.cols() + BlockRows - 1) / BlockRows;
  parallelFor(context, 0, blocks, [&](int64_t block) {
    int64_t begin = block * BlockRows;
    int64_t end = std::min<int64_t>(begin + BlockRows, result.cols());
    std::vector<float> weight = read(begin, end);
    MatrixView transposed{weight.data(), 1, input.cols()};
    pmpd::multiply({input.data(), input.outerStride(), 1}, transposed,
                   input.rows(), input.cols(), end - begin,
                   result.data() + begin, result.outerStride());
  });
}

FailureOr<Activations> Run::linear(LinearOp op) {
  const Activations &input = get(op.getInput());
  if (options.observer && failed(options.observer(op, input.data)))
    return failure();
  bool onlyLogits = llvm::all_of(
      op->getUsers(), [](Operation *user) { return isa<YieldOp>(user); });
  if (onlyLogits && !options.computeLogits)
    return Activations();

  FailureOr<WeightReader> reader =
      WeightReader::open(getWeight(op.getWeight()));
  if (failed(reader))
    return failure();
  const NestedTensor *codes = options.codes ? options.codes(op) : nullptr;
  Activations result{RowMatrix(input.data.rows(), reader->getRows()),
                     input.selected};
  std::vector<Extent> extents = getExtents(input.selected);
  // Neighbours with the same bits at once.
  for (size_t first = 0, last = 0; first < sequences.size(); first = last) {
    int64_t rows = 0;
    for (; last < sequences.size() &&
           sequences[last].bits == sequences[first].bits;
         ++last)
      rows += extents[last].count;
    auto from = input.data.middleRows(extents[first].begin, rows);
    auto to = result.data.middleRows(extents[first].begin, rows);
    if (failed(apply(op, *reader, codes, sequences[first].bits, from, to)))
      return failure();
  }
  if (op.getBias()) {
    auto bias = readVector(*op.getBias());
    if (failed(bias))
      return failure();
    result.data.rowwise() +=
        Eigen::Map<Eigen::RowVectorXf>(bias->data(), bias->size());
  }
  return result;
}

LogicalResult Run::apply(LinearOp op, const WeightReader &reader,
                         const NestedTensor *codes, int32_t bits,
                         Eigen::Ref<const RowMatrix> input,
                         Eigen::Ref<RowMatrix> result) {
  std::vector<float> all;
  auto slice = [&](int64_t begin, int64_t end) {
    return std::vector<float>(all.begin() + begin * reader.getCols(),
                              all.begin() + end * reader.getCols());
  };
  WeightOp weight = getWeight(op.getWeight());
  if (codes && bits != 0) {
    int prefix = codes->shape.prefixIndex(bits);
    int last = static_cast<int>(codes->shape.prefixes.size()) - 1;
    all = dequantize(*codes, prefix < 0 ? last : prefix);
  } else if (NestedType nested = weight.getNested()) {
    int32_t wanted = op.getBits().value_or(op.getPin().value_or(options.bits));
    int prefix = nested.getPrefixIndex(wanted);
    if (prefix < 0)
      return op.emitOpError("expected ")
             << op.getWeightAttr() << " to be readable at " << wanted
             << " bits, but it is " << nested;
    all = dequantize(reader.readNested(), prefix);
  } else {
    multiply(
        op.getContext(), input,
        [&](int64_t begin, int64_t end) { return reader.read(begin, end); },
        result);
    return success();
  }
  multiply(op.getContext(), input, slice, result);
  return success();
}

Activations Run::rotate(RopeOp op) {
  auto tableOp = model.lookupSymbol<RopeTableOp>(op.getTable());
  std::vector<float> table = computeRopeTable(tableOp);
  Activations result = get(op.getInput());
  for (Extent extent : getExtents(result.selected)) {
    auto rows = result.data.middleRows(extent.begin, extent.count);
    rows = pmpd::rotate(rows, table, tableOp.getInvFreq().size(),
                        tableOp.getStyle(), op.getHeads(), extent.position);
  }
  return result;
}

FailureOr<Activations> Run::append(KVAppendOp op) {
  const Activations &keys = get(op.getKeys()), &values = get(op.getValues());
  if (keys.selected || values.selected)
    return op.emitOpError("expected all rows, but got the selected ones; move "
                          "it before pmpd.select_last");
  auto appendRows = [&](RowMatrix &cache, const RowMatrix &data,
                        Extent extent) {
    RowMatrix rows = data.middleRows(extent.begin, extent.count);
    cache.conservativeResize(extent.position + extent.count, data.cols());
    cache.bottomRows(extent.count) =
        model.getKvType().isF16() ? roundToHalf(rows) : rows;
  };
  for (auto [sequence, extent] : llvm::zip(sequences, getExtents(false))) {
    Sequence::Layer &layer = sequence.layers[op.getLayer()];
    appendRows(layer.keys, keys.data, extent);
    appendRows(layer.values, values.data, extent);
  }
  return Activations();
}

FailureOr<Activations> Run::attend(AttentionOp op) {
  const Activations &query = get(op.getQuery());
  Activations result{RowMatrix(query.data.rows(), query.data.cols()),
                     query.selected};
  std::vector<Extent> extents = getExtents(query.selected);
  for (auto [sequence, extent] : llvm::zip(sequences, extents))
    if (sequence.layers[op.getLayer()].keys.rows() !=
        extent.position + extent.count)
      return op.emitOpError("expected a pmpd.kv_append of layer ")
             << op.getLayer() << " before it";
  int64_t heads = model.getHeads(), dim = model.getHeadDim();
  int64_t headsPerKV = heads / model.getKvHeads();
  parallelFor(op.getContext(), 0, extents.size() * heads, [&](int64_t task) {
    Extent extent = extents[task / heads];
    int64_t head = task % heads;
    const Sequence::Layer &layer =
        sequences[task / heads].layers[op.getLayer()];
    int64_t kvColumn = head / headsPerKV * dim;
    result.data.block(extent.begin, head * dim, extent.count, dim) =
        pmpd::attend(
            query.data.block(extent.begin, head * dim, extent.count, dim),
            layer.keys.middleCols(kvColumn, dim),
            layer.values.middleCols(kvColumn, dim),
            op.getScale().convertToDouble(), extent.position,
            op.getWindow().value_or(0));
  });
  return result;
}

FailureOr<Activations> Run::combine(Operation *op) {
  const Activations &lhs = get(op->getOperand(0)),
                    &rhs = get(op->getOperand(1));
  if (lhs.selected != rhs.selected)
    return op->emitOpError("expected both operands before or both behind "
                           "pmpd.select_last");
  if (isa<AddOp>(op))
    return Activations{lhs.data + rhs.data, lhs.selected};
  return Activations{lhs.data.cwiseProduct(rhs.data), lhs.selected};
}

Activations Run::selectLast(SelectLastOp op) {
  const Activations &input = get(op.getInput());
  if (input.selected)
    return input;
  std::vector<Extent> all = getExtents(false), kept = getExtents(true);
  Activations result{RowMatrix(countRows(true), input.data.cols()), true};
  for (auto [from, to] : llvm::zip(all, kept))
    result.data.middleRows(to.begin, to.count) =
        input.data.middleRows(from.begin + from.count - to.count, to.count);
  return result;
}
