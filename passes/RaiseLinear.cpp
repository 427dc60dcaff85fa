// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Products with weights and rows of tables.
#include "passes/Raise.h"

using namespace mlir;
using namespace pmpd;
using namespace pmpd::raise;
using onnx::NodeOp;

static constexpr llvm::StringLiteral productExpected =
    "expected a product with a weight, or of queries and keys, or of attention "
    "probabilities and values";

static RankedTensorType getRowsType(Builder &builder, int64_t cols) {
  return RankedTensorType::get({ShapedType::kDynamic, cols},
                               builder.getF32Type());
}

/// The axes up to the rows; none if there are columns before them.
static std::optional<ArrayRef<Axis>> getRowPrefix(const View &view) {
  std::optional<size_t> rows = findRows(view);
  if (!rows)
    return std::nullopt;
  ArrayRef<Axis> prefix = ArrayRef<Axis>(view.axes).take_front(*rows + 1);
  if (!llvm::all_of(prefix.drop_back(),
                    [](const Axis &axis) { return axis.empty(); }))
    return std::nullopt;
  return prefix;
}

Meaning Raiser::emitLinear(NodeOp node, const Features &input,
                           const WeightRef &weight, Value bias) {
  std::optional<ArrayRef<Axis>> prefix = getRowPrefix(input.view);
  if (weight.shape.size() != 2 || !prefix)
    return refuse(node, "expected rows times a matrix");
  Value rows = getRows(node, input);
  if (!rows)
    return Poison();
  int64_t cols = cast<RankedTensorType>(rows.getType()).getDimSize(1);
  if (weight.shape[1] != cols)
    return refuse(node, "expected a weight for " + Twine(cols) +
                            " columns, but got one for " +
                            Twine(weight.shape[1]));
  FlatSymbolRefAttr biasSymbol;
  if (bias) {
    FailureOr<FlatSymbolRefAttr> vector =
        getVector(node, bias, weight.shape[0], ".bias");
    if (failed(vector))
      return Poison();
    biasSymbol = *vector;
  }
  Value product = LinearOp::create(
      builder, node.getLoc(), getRowsType(builder, weight.shape[0]), rows,
      getWeight(node, weight, ""), biasSymbol, IntegerAttr(), IntegerAttr());
  return makeFeatures(product, *prefix);
}

Meaning Raiser::raiseMatMul(NodeOp node) {
  Value left = node.getInputs()[0], right = node.getInputs()[1];
  if (isAuxiliary(right))
    return multiplyWeight(node, left, right, /*transposed=*/false);
  if (const Cache *cache = get<Cache>(right))
    return multiplyCache(node, left, *cache);
  return refuse(node, productExpected);
}

Meaning Raiser::multiplyWeight(NodeOp node, Value left, Value right,
                               bool transposed) {
  std::optional<WeightRef> weight = resolveWeight(right);
  if (!weight)
    return refuse(node, "expected the weight to be stored in the file, but "
                        "it is computed or inline");
  if (!transposed) {
    // The product is with the transpose of what linear wants.
    weight->transposed = !weight->transposed;
    std::reverse(weight->shape.begin(), weight->shape.end());
  }
  std::optional<Features> input = getFeatures(node, left);
  return input ? emitLinear(node, *input, *weight, {}) : Meaning(Poison());
}

Meaning Raiser::multiplyCache(NodeOp node, Value left, const Cache &cache) {
  if (const auto *weights = get<Probabilities>(left))
    return raiseAttention(node, *weights, cache);
  if (!get<Features>(left) && !get<Combination>(left))
    return refuse(node, productExpected);
  std::optional<Features> query = getFeatures(node, left);
  return query ? raiseScores(node, *query, cache) : Meaning(Poison());
}

Meaning Raiser::raiseGemm(NodeOp node) {
  std::optional<WeightRef> weight;
  if (isAuxiliary(node.getInputs()[1]))
    weight = resolveWeight(node.getInputs()[1]);
  if (!weight || node.getInt("transA", 0) || node.getFloat("alpha", 1) != 1 ||
      node.getFloat("beta", 1) != 1)
    return refuse(node, "expected rows times a weight that is stored in the "
                        "file, with alpha and beta of 1");
  if (!node.getInt("transB", 0)) {
    weight->transposed = !weight->transposed;
    std::reverse(weight->shape.begin(), weight->shape.end());
  }
  std::optional<Features> input = getFeatures(node, node.getInputs()[0]);
  return input ? emitLinear(node, *input, *weight, node.getInput(2))
               : Meaning(Poison());
}

Meaning Raiser::raiseEmbedding(NodeOp node) {
  std::optional<WeightRef> table;
  if (isAuxiliary(node.getInputs()[0]))
    table = resolveWeight(node.getInputs()[0]);
  if (!table || table->shape.size() != 2 || node.getInt("axis", 0) != 0)
    return refuse(node, "expected a table of two dimensions that is stored in "
                        "the file");
  const View &tokens = get<Tokens>(node.getInputs()[1])->view;
  Value rows = EmbedOp::create(
      builder, node.getLoc(), getRowsType(builder, table->shape[1]),
      tokens.base, getWeight(node, *table, ""), builder.getF64FloatAttr(1.0));
  return makeFeatures(rows, tokens.axes);
}

Meaning Raiser::addBias(NodeOp node, const Features &features, Value bias) {
  // A position embedding is rows of a table by positions.
  if (Meaning added = addPosition(node, features, bias);
      !std::holds_alternative<Auxiliary>(added))
    return added;
  std::optional<View> view = compact(features.view);
  auto linear = view ? view->base.getDefiningOp<LinearOp>() : LinearOp();
  if (!linear || linear.getBiasAttr() || features.function)
    return refuse(node, "expected a bias right after a product with a weight, "
                        "a position embedding or a mask");
  // The bias is along the last axis, which has to be all columns.
  const Axis &last = view->axes.back();
  if (!isColumnRun(last, getColumns(last)) ||
      getColumns(last) != linear.getType().getDimSize(1))
    return refuse(node, "expected a bias along all columns of a product");
  FailureOr<FlatSymbolRefAttr> vector =
      getVector(node, bias, getColumns(last), ".bias");
  if (failed(vector))
    return Poison();
  view->base = LinearOp::create(builder, node.getLoc(), linear.getType(),
                                linear.getInput(), linear.getWeightAttr(),
                                *vector, IntegerAttr(), IntegerAttr());
  return Features{*view, nullptr};
}

Meaning Raiser::addPosition(NodeOp node, const Features &features,
                            Value added) {
  // Through what keeps the elements in order.
  auto gather = added.getDefiningOp<NodeOp>();
  while (gather &&
         (gather.getOpType() == "Identity" || gather.getOpType() == "Cast" ||
          gather.getOpType() == "Unsqueeze" || gather.getOpType() == "Reshape"))
    gather = gather.getInputs()[0].getDefiningOp<NodeOp>();
  if (!gather || gather.getOpType() != "Gather" ||
      gather.getInt("axis", 0) != 0)
    return Auxiliary();
  std::optional<WeightRef> table = resolveWeight(gather.getInputs()[0]);
  if (!table || table->shape.size() != 2)
    return Auxiliary();
  std::optional<int64_t> offset;
  for (Probe probe : {Probe{3, 2}, Probe{2, 7}, Probe{1, 0}}) {
    llvm::Expected<const onnx::Tensor *> rows =
        probes.evaluate(gather.getInputs()[1], probe);
    if (!rows)
      return refuse(node, llvm::toString(rows.takeError()));
    bool fits = (*rows)->size() == probe.rows;
    for (int64_t r = 0; fits && r < probe.rows; ++r) {
      int64_t found = (*rows)->at(r) - (probe.past + r);
      fits = found == offset.value_or(found);
      offset = found;
    }
    if (!fits)
      return refuse(node, "expected rows of the position table by consecutive "
                          "positions");
  }
  Value rows = getRows(node, features);
  if (!rows)
    return Poison();
  context = std::min(context, table->shape[0] - *offset);
  Value result = AddPositionOp::create(builder, node.getLoc(), rows.getType(),
                                       rows, getWeight(gather, *table, ""),
                                       builder.getI64IntegerAttr(*offset));
  return makeFeatures(result, ArrayRef<Axis>(features.view.axes).drop_back());
}
