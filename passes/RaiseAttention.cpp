// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/Raise.h"

using namespace mlir;
using namespace pmpd;
using namespace pmpd::raise;
using onnx::NodeOp;

Meaning Raiser::appendPast(NodeOp node) {
  const Past *past = get<Past>(node.getInputs()[0]);
  if (!past || node.getInputs().size() != 2)
    return refuse(node, "expected a past key or value followed by new ones");
  std::optional<Features> added = getFeatures(node, node.getInputs()[1]);
  if (added)
    added = settle(node, *added);
  if (!added)
    return Poison();
  std::optional<size_t> rows = findRows(added->view);
  std::optional<int64_t> axis =
      onnx::normalizeAxis(node.getInt("axis", 0), added->view.axes.size());
  if (!rows || !axis || *axis != static_cast<int64_t>(*rows))
    return refuse(node, "expected new keys or values to be appended along "
                        "the tokens");
  if (!setAppended(node, *past, added->view.base))
    return Poison();
  Cache cache{added->view, past->layer, past->isKey};
  cache.view.base = {};
  cache.view.axes[*rows] = {Atom{Atom::Total}};
  return cache;
}

bool Raiser::setAppended(NodeOp node, const Past &past, Value rows) {
  Layer &layer = layers[past.layer];
  Value &place = past.isKey ? layer.keys : layer.values;
  if (place) {
    refuse(node, "expected one append to each past");
    return false;
  }
  place = rows;
  return true;
}

/// Whether heads of queries, at `query` for each head of the product, read the
/// heads of the cache in groups of neighbours.
static bool isGrouped(ArrayRef<Axis> query, ArrayRef<Axis> cache, int64_t heads,
                      int64_t kvHeads, int64_t headDim) {
  if (query.size() != cache.size() || heads % kvHeads != 0)
    return false;
  // Column offsets of both for every head of the product.
  SmallVector<int64_t> queries = {0}, keys = {0};
  for (auto [q, k] : llvm::zip(query, cache)) {
    SmallVector<int64_t> qOffsets = getOffsets(q), kOffsets = getOffsets(k);
    if (kOffsets.size() == 1)
      kOffsets.resize(qOffsets.size(), 0);
    if (qOffsets.size() != kOffsets.size())
      return false;
    SmallVector<int64_t> finerQueries, finerKeys;
    for (auto [a, b] : llvm::zip(queries, keys))
      for (auto [qOffset, kOffset] : llvm::zip(qOffsets, kOffsets)) {
        finerQueries.push_back(a + qOffset);
        finerKeys.push_back(b + kOffset);
      }
    queries = std::move(finerQueries);
    keys = std::move(finerKeys);
  }
  return static_cast<int64_t>(queries.size()) == heads &&
         llvm::all_of(llvm::zip(queries, keys), [&](auto pair) {
           auto [q, k] = pair;
           return q % headDim == 0 &&
                  k == q / headDim / (heads / kvHeads) * headDim;
         });
}

static bool isTotal(const Axis &axis) {
  return axis.size() == 1 && axis[0].kind == Atom::Total;
}

Meaning Raiser::raiseScores(NodeOp node, const Features &query,
                            const Cache &keys) {
  // A scale may be on the queries, the keys or the scores.
  Features plain = query;
  double scale = keys.scale;
  if (std::optional<double> factor = getScale(query.function)) {
    scale *= *factor;
    plain.function = nullptr;
  }
  std::optional<Features> settled = settle(node, plain);
  if (!settled)
    return Poison();
  ArrayRef<Axis> q = settled->view.axes, k = keys.view.axes;
  std::optional<size_t> rows = findRows(settled->view);
  if (!keys.isKey || q.size() < 3 || k.size() != q.size() || !rows ||
      *rows != q.size() - 2 || q.back().size() != 1)
    return refuse(node, "expected queries [.., heads, rows, head_dim] times "
                        "transposed keys of as many dimensions");
  auto width = [](Value value) {
    return cast<RankedTensorType>(value.getType()).getDimSize(1);
  };
  Scores scores{settled->view, keys.layer, 0, 0, 0, scale, {}};
  scores.headDim = q.back()[0].size;
  scores.heads = width(settled->view.base) / scores.headDim;
  scores.kvHeads = width(layers[keys.layer].keys) / scores.headDim;
  if (!isColumnRun(q.back(), scores.headDim) ||
      !isColumnRun(k.end()[-2], scores.headDim) || !isTotal(k.back()) ||
      scores.kvHeads == 0 ||
      !isGrouped(q.drop_back(2), k.drop_back(2), scores.heads, scores.kvHeads,
                 scores.headDim))
    return refuse(node, "expected every key head to serve neighbouring query "
                        "heads");
  return scores;
}

Meaning Raiser::raiseSoftmax(NodeOp node) {
  const auto *scores = get<Scores>(node.getInputs()[0]);
  if (!scores)
    return refuse(node, "expected attention scores");
  int64_t rank = scores->query.axes.size();
  if (onnx::normalizeAxis(node.getInt("axis", -1), rank) != rank - 1)
    return refuse(node, "expected a softmax over the last axis");
  Probabilities result{*scores, std::nullopt};
  std::string reason = checkMasks(scores->masks, result.window);
  if (!reason.empty())
    return refuse(node, reason);
  return result;
}

Meaning Raiser::raiseAttention(NodeOp node, const Probabilities &weights,
                               const Cache &values) {
  const Scores &scores = weights.scores;
  ArrayRef<Axis> q = scores.query.axes, v = values.view.axes;
  if (values.isKey || values.layer != scores.layer || values.scale != 1 ||
      v.size() != q.size() || !isColumnRun(v.back(), scores.headDim) ||
      !isTotal(v.end()[-2]) ||
      !isGrouped(q.drop_back(2), v.drop_back(2), scores.heads, scores.kvHeads,
                 scores.headDim))
    return refuse(node, "expected probabilities times the values of the layer "
                        "of the keys, grouped in the same way");
  View result = scores.query;
  result.base = emitAttention(node, scores, weights.window);
  if (!result.base)
    return Poison();
  return Features{result, nullptr};
}

Value Raiser::emitAttention(NodeOp node, const Scores &scores,
                            std::optional<int64_t> window) {
  auto fail = [&](const Twine &reason) {
    refuse(node, reason);
    return Value();
  };
  if (headDim == 0) {
    heads = scores.heads;
    kvHeads = scores.kvHeads;
    headDim = scores.headDim;
  }
  if (heads != scores.heads || kvHeads != scores.kvHeads ||
      headDim != scores.headDim)
    return fail("expected " + Twine(heads) + " heads, " + Twine(kvHeads) +
                " key heads of " + Twine(headDim) +
                " as in the first layer, but got " + Twine(scores.heads) +
                ", " + Twine(scores.kvHeads) + " of " + Twine(scores.headDim));
  Layer &layer = layers[scores.layer];
  if (layer.keys.getType() != layer.values.getType())
    return fail("expected as many columns of keys as of values");
  IntegerAttr index = builder.getI64IntegerAttr(scores.layer);
  if (!layer.appended)
    KVAppendOp::create(builder, node.getLoc(), layer.keys, layer.values, index);
  layer.appended = true;
  return AttentionOp::create(
      builder, node.getLoc(), scores.query.base.getType(), scores.query.base,
      index, builder.getF64FloatAttr(scores.scale),
      window ? builder.getI64IntegerAttr(*window) : IntegerAttr());
}
