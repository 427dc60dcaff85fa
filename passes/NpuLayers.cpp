// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/NpuLayers.h"

using namespace mlir;
using namespace pmpd;

namespace {
/// Compares ops of one layer with those of the next.
class Matcher {
public:
  Matcher(ModelOp model, ArrayRef<Operation *> ops) : model(model), ops(ops) {
    for (auto [i, op] : llvm::enumerate(ops))
      indices[op] = i;
  }

  /// Whether op `i` is op `i + period` but for the layer and the weight.
  bool matches(size_t i, size_t period) {
    Operation *a = ops[i], *b = ops[i + period];
    return a->getName() == b->getName() &&
           a->getResultTypes() == b->getResultTypes() && sameAttributes(a, b) &&
           sameOperands(a, b, period);
  }

  /// Bytes between the weights of ops `i` and `i + period`, for each they have.
  void addStrides(size_t i, size_t period, llvm::SmallDenseSet<int64_t> &to) {
    for (auto [a, b] :
         llvm::zip(ops[i]->getAttrs(), ops[i + period]->getAttrs())) {
      std::optional<int64_t> from = placeOf(a.getValue());
      std::optional<int64_t> next = placeOf(b.getValue());
      if (from && next)
        to.insert(*next - *from);
    }
  }

private:
  WeightOp weightOf(Attribute name) {
    auto symbol = dyn_cast<FlatSymbolRefAttr>(name);
    return symbol ? model.lookupSymbol<WeightOp>(symbol.getAttr()) : WeightOp();
  }
  std::optional<int64_t> placeOf(Attribute name) {
    WeightOp weight = weightOf(name);
    return weight ? std::optional<int64_t>(weight.getAt()) : std::nullopt;
  }

  bool sameAttributes(Operation *a, Operation *b) {
    if (a->getAttrs().size() != b->getAttrs().size())
      return false;
    for (auto [x, y] : llvm::zip(a->getAttrs(), b->getAttrs())) {
      if (x.getName() != y.getName())
        return false;
      WeightOp w = weightOf(x.getValue()), v = weightOf(y.getValue());
      bool same =
          w && v ? w.getType() == v.getType() : x.getValue() == y.getValue();
      if (x.getName() == "layer") // of the cache: the next one
        same = cast<IntegerAttr>(x.getValue()).getInt() + 1 ==
               cast<IntegerAttr>(y.getValue()).getInt();
      if (!same)
        return false;
    }
    return true;
  }

  bool sameOperands(Operation *a, Operation *b, size_t period) {
    return llvm::all_of(
        llvm::zip(a->getOperands(), b->getOperands()), [&](auto pair) {
          auto [x, y] = pair;
          Operation *from = x.getDefiningOp(), *next = y.getDefiningOp();
          return from && next &&
                 indices.lookup(from) + period == indices.lookup(next);
        });
  }

  ModelOp model;
  ArrayRef<Operation *> ops;
  DenseMap<Operation *, size_t> indices;
};
} // namespace

/// The one value from before `begin` that the ops of a layer read, if it is
/// just one and no longer read once the layer's last op runs.
static Value onlyInput(ArrayRef<Operation *> ops, const Layers &layers) {
  Value input;
  auto layer = ops.slice(layers.begin, layers.period);
  for (Operation *op : layer)
    for (Value operand : op->getOperands())
      if (!llvm::is_contained(layer, operand.getDefiningOp())) {
        if (input && input != operand)
          return Value();
        input = operand;
      }
  if (llvm::is_contained(layer.back()->getOperands(), input))
    return Value();
  return input;
}

Layers pmpd::findLayers(ModelOp model, ArrayRef<Operation *> ops) {
  SmallVector<size_t> marks;
  for (auto [i, op] : llvm::enumerate(ops))
    if (isa<AttentionOp>(op))
      marks.push_back(i);
  if (marks.size() < 2 || cast<AttentionOp>(ops[marks[0]]).getLayer() != 0)
    return {};
  Layers layers;
  layers.period = marks[1] - marks[0];
  layers.count = marks.size();
  Matcher matcher(model, ops);
  // The layer begins at the first op from which all repeat.
  size_t span = (layers.count - 1) * layers.period;
  auto repeats = [&](size_t begin) {
    for (size_t i = begin; i < begin + span; ++i)
      if (!matcher.matches(i, layers.period))
        return false;
    return true;
  };
  size_t begin =
      marks[0] + 1 < layers.period ? 0 : marks[0] + 1 - layers.period;
  for (; begin <= marks[0]; ++begin)
    if (begin + layers.count * layers.period <= ops.size() && repeats(begin))
      break;
  if (begin > marks[0])
    return {};
  layers.begin = begin;
  llvm::SmallDenseSet<int64_t> strides;
  for (size_t i = begin; i < begin + span; ++i)
    matcher.addStrides(i, layers.period, strides);
  if (strides.size() != 1)
    return {};
  layers.stride = *strides.begin();
  layers.input = onlyInput(ops, layers);
  Operation *last = ops[begin + layers.period - 1];
  if (!layers.input || last->getNumResults() != 1 ||
      !isa<AddOp, MulOp, ActivateOp>(last))
    return {};
  layers.output = last->getResult(0);
  for (Operation *op : ops.slice(layers.begin, layers.period))
    if (llvm::is_contained(op->getOperands(), layers.input))
      layers.middle = isa<AddOp, MulOp>(op) ? op->getResult(0) : Value();
  return layers;
}
