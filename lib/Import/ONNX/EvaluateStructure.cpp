// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operators that move elements or make tensors of a given shape.
#include "lib/Import/ONNX/Elements.h"
#include "lib/Import/ONNX/Evaluator.h"

using namespace mlir;
using namespace pmpd::onnx;

static bool isTooLarge(ArrayRef<int64_t> shape) {
  return countElements(shape) > Evaluator::maxElements;
}

static Results pick(const std::optional<Selection> &selection,
                    const Tensor &from) {
  if (!selection)
    return {};
  Tensor to{selection->shape, {}};
  std::visit(
      [&](const auto &elements) { to.elements = selection->apply(elements); },
      from.elements);
  return {std::move(to)};
}

static Results reshape(const std::optional<Shape> &shape, const Tensor &from) {
  if (!shape)
    return {};
  return {Tensor{*shape, from.elements}};
}

static Results gather(const Operands &operands) {
  std::optional<ArrayRef<int64_t>> indices = operands.getIntegers(1);
  if (!indices)
    return {};
  const Tensor &data = *operands.get(0);
  return pick(selectGather(data.shape, operands.node.getInt("axis", 0),
                           operands.get(1)->shape, *indices),
              data);
}

static Results slice(const Operands &operands) {
  const Tensor &data = *operands.get(0);
  auto starts = operands.getIntegers(1), ends = operands.getIntegers(2);
  if (!starts || !ends || starts->size() != ends->size())
    return {};
  Shape axes = countUp(starts->size());
  Shape steps(starts->size(), 1);
  if (auto given = operands.getIntegers(3))
    axes.assign(given->begin(), given->end());
  if (auto given = operands.getIntegers(4))
    steps.assign(given->begin(), given->end());
  if (axes.size() != starts->size() || steps.size() != starts->size())
    return {};
  return pick(selectSlice(data.shape, *starts, *ends, axes, steps), data);
}

static Results transpose(const Operands &operands) {
  const Tensor &data = *operands.get(0);
  SmallVector<int64_t> reversed(llvm::reverse(countUp(data.shape.size())));
  return pick(selectTranspose(data.shape,
                              operands.node.getInts("perm").value_or(reversed)),
              data);
}

static Results expand(const Operands &operands) {
  const Tensor &data = *operands.get(0);
  std::optional<ArrayRef<int64_t>> shape = operands.getIntegers(1);
  if (!shape)
    return {};
  std::optional<Shape> to = broadcastShapes(data.shape, *shape);
  if (!to || isTooLarge(*to))
    return {};
  return pick(selectExpand(data.shape, *to), data);
}

static Results tile(const Operands &operands) {
  const Tensor &data = *operands.get(0);
  std::optional<ArrayRef<int64_t>> repeats = operands.getIntegers(1);
  if (!repeats ||
      countElements(*repeats) > Evaluator::maxElements / (data.size() + 1))
    return {};
  return pick(selectTile(data.shape, *repeats), data);
}

static Results reshapeTo(const Operands &operands) {
  std::optional<ArrayRef<int64_t>> target = operands.getIntegers(1);
  if (!target)
    return {};
  const Tensor &data = *operands.get(0);
  return reshape(
      resolveReshape(data.shape, *target, operands.node.getInt("allowzero", 0)),
      data);
}

static Results flatten(const Operands &operands) {
  const Tensor &data = *operands.get(0);
  int64_t rank = data.shape.size(), axis = operands.node.getInt("axis", 1);
  if (axis < -rank || axis > rank)
    return {};
  ArrayRef<int64_t> shape = data.shape;
  axis = axis < 0 ? axis + rank : axis;
  return reshape(Shape{countElements(shape.take_front(axis)),
                       countElements(shape.drop_front(axis))},
                 data);
}

static Results concat(const Operands &operands) {
  SmallVector<Shape> shapes;
  bool isReal = operands.get(0)->isReal();
  int64_t rank = operands.get(0)->shape.size();
  std::optional<int64_t> axis =
      normalizeAxis(operands.node.getInt("axis", 0), rank);
  if (!axis)
    return {};
  Shape whole = operands.get(0)->shape;
  whole[*axis] = 0;
  for (const Tensor *part : operands.inputs) {
    if (!part || part->isReal() != isReal ||
        static_cast<int64_t>(part->shape.size()) != rank)
      return {};
    for (int64_t a = 0; a < rank; ++a)
      if (a != *axis && part->shape[a] != whole[a])
        return {};
    whole[*axis] += part->shape[*axis];
    shapes.push_back(part->shape);
  }
  if (isTooLarge(whole))
    return {};
  auto join = [&](auto kind) {
    using Elements = decltype(kind);
    SmallVector<const Elements *> parts;
    for (const Tensor *part : operands.inputs)
      parts.push_back(&std::get<Elements>(part->elements));
    return Tensor{whole, concatenate<typename Elements::value_type>(
                             shapes, parts, *axis)};
  };
  return {isReal ? join(Tensor::Reals()) : join(Tensor::Integers())};
}

static Results split(const Operands &operands) {
  const Tensor &data = *operands.get(0);
  std::optional<int64_t> axis =
      normalizeAxis(operands.node.getInt("axis", 0), data.shape.size());
  if (!axis)
    return {};
  int64_t size = data.shape[*axis], count = operands.node.getNumResults();
  Shape sizes(count, (size + count - 1) / count);
  if (auto given = operands.getIntegers(1))
    sizes.assign(given->begin(), given->end());
  Results results;
  int64_t start = 0;
  for (int64_t part : sizes) {
    Results piece = pick(
        selectSlice(data.shape, start, start + part, *axis, int64_t(1)), data);
    if (piece.empty())
      return {};
    results.push_back(std::move(piece.front()));
    start += part;
  }
  return results;
}

static Results constantOfShape(const Operands &operands) {
  std::optional<ArrayRef<int64_t>> shape = operands.getIntegers(0);
  if (!shape || isTooLarge(*shape) ||
      llvm::any_of(*shape, [](int64_t size) { return size < 0; }))
    return {};
  Tensor value{{}, Tensor::Reals{0.0}};
  if (auto given = dyn_cast_or_null<DenseElementsAttr>(
          operands.node.getParameter("value")))
    value = toTensor(given);
  value.shape.clear();
  return pick(selectExpand(value.shape, *shape), value);
}

static Results range(const Operands &operands) {
  for (unsigned i = 0; i < 3; ++i)
    if (!operands.get(i) || operands.get(i)->size() != 1)
      return {};
  double start = operands.get(0)->at(0), limit = operands.get(1)->at(0),
         delta = operands.get(2)->at(0);
  double count = std::max(0.0, std::ceil((limit - start) / delta));
  if (!(count <= Evaluator::maxElements))
    return {};
  Shape shape = {static_cast<int64_t>(count)};
  if (operands.get(0)->isReal()) {
    Tensor::Reals values(shape[0]);
    for (int64_t i = 0; i < shape[0]; ++i)
      values[i] = start + i * delta;
    return {Tensor{shape, std::move(values)}};
  }
  Tensor::Integers values(shape[0]);
  for (int64_t i = 0; i < shape[0]; ++i)
    values[i] =
        operands.get(0)->integers()[0] + i * static_cast<int64_t>(delta);
  return {Tensor{shape, std::move(values)}};
}

/// Keeps the upper or lower triangle of the last two axes, the rest is zero.
static Results trilu(const Operands &operands) {
  Tensor result = *operands.get(0);
  if (result.shape.size() < 2)
    return {};
  int64_t k = operands.get(1) ? operands.get(1)->at(0) : 0;
  bool upper = operands.node.getInt("upper", 1);
  int64_t cols = result.shape.back(), rows = result.shape.end()[-2];
  std::visit(
      [&](auto &elements) {
        for (int64_t i = 0, e = elements.size(); i < e; ++i) {
          int64_t row = i / cols % rows, col = i % cols;
          if (upper ? col - row < k : col - row > k)
            elements[i] = 0;
        }
      },
      result.elements);
  return {std::move(result)};
}

void pmpd::onnx::addStructuralOperators(OperatorTable &table) {
  table["Concat"] = concat;
  table["ConstantOfShape"] = constantOfShape;
  table["Expand"] = expand;
  table["Flatten"] = flatten;
  table["Gather"] = gather;
  table["Range"] = range;
  table["Reshape"] = reshapeTo;
  table["Slice"] = slice;
  table["Split"] = split;
  table["Tile"] = tile;
  table["Transpose"] = transpose;
  table["Trilu"] = trilu;
  table["Identity"] = [](const Operands &operands) {
    return Results{*operands.get(0)};
  };
  table["Dropout"] = [](const Operands &operands) {
    const Tensor &data = *operands.get(0);
    // Nothing is dropped in inference: the mask keeps all.
    return Results{data, Tensor{data.shape, Tensor::Integers(data.size(), 1)}};
  };
  table["Squeeze"] = [](const Operands &operands) {
    return reshape(
        squeezeShape(operands.get(0)->shape, operands.getIntegers(1)),
        *operands.get(0));
  };
  table["Unsqueeze"] = [](const Operands &operands) {
    std::optional<ArrayRef<int64_t>> axes = operands.getIntegers(1);
    return axes ? reshape(unsqueezeShape(operands.get(0)->shape, *axes),
                          *operands.get(0))
                : Results();
  };
}
