// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Rotary embeddings and grouped-query attention as single operators of ONNX
// Runtime. Their tables are looked up by nodes that are added to the graph, so
// that one way leads from tables to frequencies however a file rotates.
#include "passes/Raise.h"

#include <cmath>

using namespace mlir;
using namespace pmpd;
using namespace pmpd::raise;
using onnx::NodeOp;

static Value createNode(NodeOp before, StringRef opType, ValueRange inputs,
                        DictionaryAttr parameters = {}) {
  OpBuilder builder(before);
  Type type = UnrankedTensorType::get(builder.getF32Type());
  return NodeOp::create(
             builder, before.getLoc(), type, opType, "", before.getNodeName(),
             parameters ? parameters : builder.getDictionaryAttr({}), inputs)
      .getResult(0);
}

Value Raiser::lookUp(NodeOp node, Value table, Value rows) {
  Value &result = lookedUp[{table, rows}];
  if (!result)
    result = createNode(node, "Gather", {table, rows});
  return result;
}

Value Raiser::getPositions(NodeOp node, Value total) {
  Value &result = chunkPositions[total];
  if (result)
    return result;
  OpBuilder b(node);
  auto integer = [&](int64_t value) -> Value {
    return onnx::ConstantOp::create(
        b, node.getLoc(),
        DenseElementsAttr::get(RankedTensorType::get({}, b.getI64Type()),
                               value));
  };
  // Range(total - rows, total, 1)
  DictionaryAttr second =
      b.getDictionaryAttr({b.getNamedAttr("start", b.getI64IntegerAttr(1)),
                           b.getNamedAttr("end", b.getI64IntegerAttr(2))});
  Value rows = createNode(node, "Shape", {node.getInputs()[0]}, second);
  Value past = createNode(node, "Sub", {total, rows});
  result = createNode(node, "Range", {past, total, integer(1)});
  return result;
}

bool Raiser::isNumber(Value value,
                      llvm::function_ref<int64_t(Probe)> expected) {
  for (Probe probe : {Probe{3, 2}, Probe{2, 7}, Probe{1, 0}}) {
    llvm::Expected<const onnx::Tensor *> tensor = probes.evaluate(value, probe);
    if (!tensor) {
      llvm::consumeError(tensor.takeError());
      return false;
    }
    if ((*tensor)->size() != 1 || (*tensor)->at(0) != expected(probe))
      return false;
  }
  return true;
}

std::optional<Features> Raiser::rotate(NodeOp node, const Features &features,
                                       int64_t headSize,
                                       const Rotation &rotation) {
  auto fail = [&](const Twine &reason) -> std::optional<Features> {
    refuse(node, reason);
    return std::nullopt;
  };
  int64_t pairs = 0;
  for (Value table : {rotation.cosines, rotation.sines}) {
    auto type = table ? dyn_cast<RankedTensorType>(table.getType())
                      : RankedTensorType();
    if (!type || type.getRank() != 2 || type.isDynamicDim(1) ||
        !isAuxiliary(table))
      return fail("expected tables of cosines and sines, [positions, pairs]");
    pairs = type.getDimSize(1);
  }
  std::optional<Combination> heads = getCombination(features);
  if (!heads || heads->elements.size() % headSize != 0 || 2 * pairs > headSize)
    return fail("expected rows of heads of at least " + Twine(2 * pairs) +
                " elements");
  Value cosines = lookUp(node, rotation.cosines, rotation.positions);
  Value sines = lookUp(node, rotation.sines, rotation.positions);
  auto product = [&](int64_t element, Value table, int64_t pair, double sign) {
    Term term = heads->elements[element].front();
    return Term{sign * term.factor, term.column, table, pair, pairs};
  };
  Combination rotated = *heads;
  int64_t count = heads->elements.size();
  for (int64_t start = 0; start < count; start += headSize)
    for (int64_t pair = 0; pair < pairs; ++pair) {
      int64_t x = start + (rotation.interleaved ? 2 * pair : pair);
      int64_t y = x + (rotation.interleaved ? 1 : pairs);
      rotated.elements[x] = {product(x, cosines, pair, 1),
                             product(y, sines, pair, -1)};
      rotated.elements[y] = {product(y, cosines, pair, 1),
                             product(x, sines, pair, 1)};
    }
  rotated.trailing = {count / headSize, headSize};
  std::optional<Features> result = emitRope(node, rotated);
  if (!result)
    return std::nullopt;
  // The elements behind the rows lie in the order they had.
  SmallVectorImpl<Axis> &axes = result->view.axes;
  axes.resize(heads->view.axes.size());
  int64_t stride = count;
  for (int64_t extent : heads->trailing) {
    stride /= extent;
    axes.push_back({});
    if (extent > 1)
      axes.back().push_back({Atom::Column, extent, stride});
  }
  return result;
}

Meaning Raiser::raiseRotaryEmbedding(NodeOp node) {
  if (!hasOnly(node,
               {"interleaved", "num_heads", "rotary_embedding_dim", "scale"},
               {"input", "position_ids", "cos_cache", "sin_cache"}, 1))
    return Poison();
  if (node.getFloat("scale", 1) != 1)
    return refuse(node, "attribute 'scale' is not supported");
  std::optional<Features> features = getFeatures(node, node.getInputs()[0]);
  if (!features)
    return Poison();
  Value positions = node.getInput(1);
  auto table = node.getInput(2)
                   ? dyn_cast<RankedTensorType>(node.getInput(2).getType())
                   : RankedTensorType();
  ArrayRef<Axis> axes = features->view.axes;
  if (!positions || !isAuxiliary(positions) || !table || table.getRank() != 2 ||
      (axes.size() != 3 && axes.size() != 4))
    return refuse(node, "expected heads [batch, rows, columns] or [batch, "
                        "heads, rows, columns] with positions, cosines and "
                        "sines");
  // The tables say how many elements rotate; without num_heads, all do.
  int64_t columns = getColumns(axes.back());
  int64_t rotary = node.getInt("rotary_embedding_dim", 0);
  int64_t heads = node.getInt("num_heads", 0);
  int64_t headSize = axes.size() == 4 ? columns
                     : heads > 0      ? columns / heads
                                      : 2 * table.getDimSize(1);
  if ((rotary != 0 && rotary != 2 * table.getDimSize(1)) || headSize < 1 ||
      columns % headSize != 0)
    return refuse(node, "expected num_heads that divide " + Twine(columns) +
                            " columns, and tables of half as many columns as "
                            "rotary_embedding_dim");
  std::optional<Features> rotated =
      rotate(node, *features, headSize,
             {node.getInput(2), node.getInput(3), positions,
              node.getInt("interleaved", 0) != 0});
  return rotated ? Meaning(*rotated) : Poison();
}

Meaning Raiser::raiseGroupQueryAttention(NodeOp node) {
  if (!hasOnly(node,
               {"do_rotary", "kv_num_heads", "local_window_size", "num_heads",
                "rotary_interleaved", "scale"},
               {"query", "key", "value", "past_key", "past_value", "seqlens_k",
                "total_sequence_length", "cos_cache", "sin_cache",
                "position_ids"},
               3))
    return Poison();
  int64_t heads = node.getInt("num_heads", 0);
  int64_t kvHeads = node.getInt("kv_num_heads", 0);
  constexpr int64_t most = 1 << 20; // so that no sum overflows
  if (heads < 1 || kvHeads < 1 || heads > most || heads % kvHeads != 0)
    return refuse(node, "expected num_heads to be a multiple of kv_num_heads, "
                        "but got " +
                            Twine(heads) + " and " + Twine(kvHeads));
  auto getPast = [&](unsigned input) {
    Value value = node.getInput(input);
    return value ? get<Past>(value) : nullptr;
  };
  const Past *pastKey = getPast(3), *pastValue = getPast(4);
  if (!pastKey || !pastValue || !pastKey->isKey || pastValue->isKey ||
      pastKey->layer != pastValue->layer)
    return refuse(node, "expected a past key and a past value of one layer");
  Value last = node.getInput(5), total = node.getInput(6);
  auto all = [](Probe probe) { return probe.past + probe.rows; };
  if (!last || !total || !isNumber(total, all) ||
      !isNumber(last, [&](Probe probe) { return all(probe) - 1; }))
    return refuse(node, "expected seqlens_k to be the number of all tokens "
                        "less one, and total_sequence_length that number");

  // Queries, keys and values, side by side in one input or each its own.
  std::optional<Features> parts[3];
  bool packed = !node.getInput(1) && !node.getInput(2);
  for (unsigned i = 0; i < 3; ++i) {
    Value input = node.getInput(packed ? 0 : i);
    if (!input || isAuxiliary(input))
      return refuse(node, "expected a query, a key and a value, or all of them "
                          "in the query");
    parts[i] = getFeatures(node, input);
    if (!parts[i])
      return Poison();
    if (parts[i]->view.axes.size() != 3 || findRows(parts[i]->view) != 1)
      return refuse(node, "expected inputs of [batch, rows, columns]");
  }
  int64_t width = getColumns(parts[0]->view.axes.back());
  int64_t size = width / (packed ? heads + 2 * kvHeads : heads);
  int64_t first = 0;
  for (unsigned i = 0; i < 3; ++i) {
    int64_t columns = (i == 0 ? heads : kvHeads) * size;
    if (packed) {
      std::optional<View> view =
          sliceView(parts[i]->view, 2, {first, columns, 1});
      first += columns;
      if (!view)
        return refuse(node, "expected adjacent columns");
      parts[i]->view = *view;
    }
    if (size < 1 || getColumns(parts[i]->view.axes.back()) != columns ||
        (packed && i == 2 && first != width))
      return refuse(node, "expected " + Twine(heads) + " query heads and " +
                              Twine(kvHeads) +
                              " heads of keys and values of one size");
    if (i == 2 || !node.getInt("do_rotary", 0))
      continue;
    Value positions =
        node.getInput(9) ? node.getInput(9) : getPositions(node, total);
    parts[i] = rotate(node, *parts[i], size,
                      {node.getInput(7), node.getInput(8), positions,
                       node.getInt("rotary_interleaved", 0) != 0});
    if (!parts[i])
      return Poison();
  }
  Value rows[3];
  for (unsigned i = 0; i < 3; ++i)
    if (rows[i] = getRows(node, *parts[i]); !rows[i])
      return Poison();
  if (!setAppended(node, *pastKey, rows[1]) ||
      !setAppended(node, *pastValue, rows[2]))
    return Poison();
  double scale = node.getFloat("scale", 0);
  int64_t window = node.getInt("local_window_size", -1);
  Value result =
      emitAttention(node,
                    {{rows[0], 0, {}},
                     pastKey->layer,
                     heads,
                     kvHeads,
                     size,
                     scale != 0 ? scale : 1 / std::sqrt(double(size)),
                     {}},
                    window > 0 ? std::optional<int64_t>(window) : std::nullopt);
  if (!result)
    return Poison();
  for (unsigned i : {1, 2})
    if (i < node.getNumResults())
      meanings[node.getResult(i)] = Cache{{{},
                                           0,
                                           {{},
                                            {Atom{Atom::Column, kvHeads, size}},
                                            {Atom{Atom::Total}},
                                            {Atom{Atom::Column, size, 1}}}},
                                          pastKey->layer,
                                          i == 1};
  return makeFeatures(result, ArrayRef<Axis>(parts[0]->view.axes).drop_back());
}
