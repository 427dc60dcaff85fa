// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One rule per operator or kind of operators: the shapes of the results, or
// none if they cannot be found.
#include "lib/Import/ONNX/ShapeInference.h"

using namespace mlir;
using namespace pmpd::onnx;

using Shapes = SmallVector<SymbolicShape, 1>;

std::optional<Shapes> ShapeInference::inferSame(NodeOp node) {
  std::optional<SymbolicShape> shape = getShape(node, 0);
  if (!shape)
    return std::nullopt;
  return Shapes{*shape};
}

std::optional<Shapes> ShapeInference::inferBroadcast(NodeOp node) {
  SymbolicShape result;
  for (unsigned i = 0; i < node.getInputs().size(); ++i) {
    std::optional<SymbolicShape> shape = getShape(node, i);
    if (!shape)
      return std::nullopt;
    result = broadcast(result, *shape);
  }
  return Shapes{result};
}

std::optional<Shapes> ShapeInference::inferConcat(NodeOp node) {
  std::optional<SymbolicShape> result;
  for (unsigned i = 0; i < node.getInputs().size(); ++i) {
    std::optional<SymbolicShape> shape = getShape(node, i);
    if (!shape)
      return std::nullopt;
    if (!result) {
      result = shape;
      continue;
    }
    std::optional<int64_t> axis =
        normalizeAxis(node.getInt("axis", 0), result->size());
    if (!axis || shape->size() != result->size())
      return std::nullopt;
    AffineExpr &joined = (*result)[*axis];
    joined = symbols.simplify(joined + (*shape)[*axis]);
  }
  return Shapes{*result};
}

std::optional<Shapes> ShapeInference::inferFromShapeInput(NodeOp node) {
  if (const SymbolicTensor *target = getElements(node, 0))
    return Shapes{SymbolicShape(ArrayRef<AffineExpr>(target->elements))};
  return std::nullopt;
}

std::optional<Shapes> ShapeInference::inferExpand(NodeOp node) {
  std::optional<SymbolicShape> from = getShape(node, 0);
  const SymbolicTensor *target = getElements(node, 1);
  if (!from || !target)
    return std::nullopt;
  return Shapes{
      broadcast(*from, SymbolicShape(ArrayRef<AffineExpr>(target->elements)))};
}

std::optional<Shapes> ShapeInference::inferFlatten(NodeOp node) {
  std::optional<SymbolicShape> shape = getShape(node, 0);
  int64_t axis = node.getInt("axis", 1);
  if (!shape || axis < 0 || axis > static_cast<int64_t>(shape->size()))
    return std::nullopt;
  ArrayRef<AffineExpr> dims = *shape;
  return Shapes{
      {multiply(dims.take_front(axis)), multiply(dims.drop_front(axis))}};
}

std::optional<Shapes> ShapeInference::inferGather(NodeOp node) {
  std::optional<SymbolicShape> data = getShape(node, 0);
  std::optional<SymbolicShape> indices = getShape(node, 1);
  if (!data || !indices)
    return std::nullopt;
  std::optional<int64_t> axis =
      normalizeAxis(node.getInt("axis", 0), data->size());
  if (!axis)
    return std::nullopt;
  SymbolicShape result(ArrayRef<AffineExpr>(*data).take_front(*axis));
  result.append(indices->begin(), indices->end());
  result.append(data->begin() + *axis + 1, data->end());
  return Shapes{result};
}

std::optional<Shapes> ShapeInference::inferGatherElements(NodeOp node) {
  std::optional<SymbolicShape> indices = getShape(node, 1);
  return indices ? std::make_optional(Shapes{*indices}) : std::nullopt;
}

std::optional<Shapes> ShapeInference::inferGatherND(NodeOp node) {
  std::optional<SymbolicShape> data = getShape(node, 0);
  std::optional<SymbolicShape> indices = getShape(node, 1);
  if (!data || !indices || indices->empty())
    return std::nullopt;
  auto depth = dyn_cast<AffineConstantExpr>(indices->pop_back_val());
  size_t dropped =
      node.getInt("batch_dims", 0) + (depth ? depth.getValue() : 0);
  if (!depth || dropped > data->size())
    return std::nullopt;
  indices->append(data->begin() + dropped, data->end());
  return Shapes{*indices};
}

std::optional<Shapes> ShapeInference::inferGemm(NodeOp node) {
  std::optional<SymbolicShape> a = getShape(node, 0), b = getShape(node, 1);
  if (!a || !b || a->size() != 2 || b->size() != 2)
    return std::nullopt;
  return Shapes{{(*a)[node.getInt("transA", 0) ? 1 : 0],
                 (*b)[node.getInt("transB", 0) ? 0 : 1]}};
}

std::optional<Shapes> ShapeInference::inferGroupQueryAttention(NodeOp node) {
  std::optional<SymbolicShape> shape = getShape(node, 0),
                               past = getShape(node, 3);
  if (!shape || shape->size() != 3 || !past || past->size() != 4)
    return std::nullopt;
  // The query may hold keys and values too; the cache has the size of a head.
  shape->back() = multiply(
      {symbols.getConstant(node.getInt("num_heads", 0)), past->back()});
  return Shapes{*shape};
}

std::optional<Shapes> ShapeInference::inferMatMul(NodeOp node) {
  std::optional<SymbolicShape> a = getShape(node, 0), b = getShape(node, 1);
  if (!a || !b || a->size() < 2 || b->size() < 2)
    return std::nullopt;
  // FusedMatMul transposes.
  if (node.getInt("transA", 0))
    std::swap(a->end()[-1], a->end()[-2]);
  if (node.getInt("transB", 0))
    std::swap(b->end()[-1], b->end()[-2]);
  AffineExpr rows = (*a)[a->size() - 2], cols = b->back();
  a->pop_back_n(2);
  b->pop_back_n(2);
  SymbolicShape result = broadcast(*a, *b);
  result.append({rows, cols});
  return Shapes{result};
}

std::optional<Shapes> ShapeInference::inferMatMulNBits(NodeOp node) {
  std::optional<SymbolicShape> shape = getShape(node, 0);
  if (!shape || shape->empty())
    return std::nullopt;
  shape->back() = symbols.getConstant(node.getInt("N", 0));
  return Shapes{*shape};
}

std::optional<Shapes> ShapeInference::inferRange(NodeOp node) {
  std::optional<Shape> delta = getConstants(node, 2);
  if (!delta || delta->size() != 1 || delta->front() <= 0 ||
      !getElements(node, 0) || !getElements(node, 1))
    return std::nullopt;
  AffineExpr start = getElements(node, 0)->elements.front();
  AffineExpr limit = getElements(node, 1)->elements.front();
  return Shapes{{ceilDivide(symbols.simplify(limit - start), delta->front())}};
}

std::optional<Shapes> ShapeInference::inferReduce(NodeOp node) {
  std::optional<SymbolicShape> shape = getShape(node, 0);
  if (!shape)
    return std::nullopt;
  std::optional<Shape> axes = getConstants(node, 1);
  if (node.getInput(1) && !axes)
    return std::nullopt;
  if (!axes || axes->empty()) {
    if (node.getInt("noop_with_empty_axes", 0))
      return Shapes{*shape};
    axes = countUp(shape->size());
  }
  SmallVector<bool> reduced(shape->size(), false);
  for (int64_t axis : *axes) {
    std::optional<int64_t> at = normalizeAxis(axis, shape->size());
    if (!at)
      return std::nullopt;
    reduced[*at] = true;
  }
  SymbolicShape result;
  for (auto [dim, gone] : llvm::zip(*shape, reduced)) {
    if (!gone)
      result.push_back(dim);
    else if (node.getInt("keepdims", 1))
      result.push_back(symbols.getConstant(1));
  }
  return Shapes{result};
}

std::optional<Shapes> ShapeInference::inferReshape(NodeOp node) {
  std::optional<SymbolicShape> from = getShape(node, 0);
  const SymbolicTensor *target = getElements(node, 1);
  if (!target) {
    // The rank may be known even if the sizes are not.
    std::optional<SymbolicShape> rank = getShape(node, 1);
    auto size = rank && rank->size() == 1
                    ? dyn_cast<AffineConstantExpr>(rank->front())
                    : AffineConstantExpr();
    if (!size || size.getValue() > 16)
      return std::nullopt;
    SymbolicShape result;
    for (int64_t i = 0; i < size.getValue(); ++i)
      result.push_back(symbols.createSymbol());
    return Shapes{result};
  }
  SymbolicShape result;
  SmallVector<AffineExpr> others;
  int64_t inferred = -1;
  for (size_t a = 0; a < target->elements.size(); ++a) {
    AffineExpr dim = target->elements[a];
    if (dim == 0 && !node.getInt("allowzero", 0)) {
      if (!from || a >= from->size())
        return std::nullopt;
      dim = (*from)[a];
    }
    if (dim == -1) {
      if (inferred >= 0)
        return std::nullopt;
      inferred = a;
    } else {
      others.push_back(dim);
    }
    result.push_back(dim);
  }
  if (inferred >= 0) {
    AffineExpr rest = from ? divide(*from, others) : AffineExpr();
    result[inferred] = rest ? rest : symbols.createSymbol();
  }
  return Shapes{result};
}

std::optional<Shapes> ShapeInference::inferShape(NodeOp node) {
  std::optional<SymbolicShape> shape = getShape(node, 0);
  if (!shape)
    return std::nullopt;
  SliceRange range = clampSlice(shape->size(), node.getInt("start", 0),
                                node.getInt("end", shape->size()), 1);
  return Shapes{{symbols.getConstant(range.count)}};
}

std::optional<Shapes> ShapeInference::inferSize(NodeOp node) {
  if (!getShape(node, 0))
    return std::nullopt;
  return Shapes{SymbolicShape()};
}

std::optional<Shapes> ShapeInference::inferSkipNormalization(NodeOp node) {
  std::optional<SymbolicShape> shape = getShape(node, 0);
  if (!shape || shape->empty())
    return std::nullopt;
  SymbolicShape perRow = *shape;
  perRow.back() = symbols.getConstant(1);
  return Shapes{*shape, perRow, perRow, *shape};
}

std::optional<Shapes> ShapeInference::inferSlice(NodeOp node) {
  std::optional<SymbolicShape> shape = getShape(node, 0);
  std::optional<SymbolicShape> count = getShape(node, 1);
  if (!shape || !count || count->size() != 1 ||
      !isa<AffineConstantExpr>(count->front()))
    return std::nullopt;
  int64_t slices = cast<AffineConstantExpr>(count->front()).getValue();
  std::optional<Shape> axes = getConstants(node, 3);
  if (!node.getInput(3))
    axes = countUp(slices);
  std::optional<Shape> steps = getConstants(node, 4);
  if (!node.getInput(4))
    steps = Shape(slices, 1);
  if (!axes || !steps || static_cast<int64_t>(axes->size()) != slices ||
      static_cast<int64_t>(steps->size()) != slices)
    return std::nullopt;
  // Looked up twice: finding the second may move the first.
  bool known = getElements(node, 1) && getElements(node, 2);
  const SymbolicTensor *starts = known ? getElements(node, 1) : nullptr;
  const SymbolicTensor *ends = known ? getElements(node, 2) : nullptr;
  for (int64_t i = 0; i < slices; ++i) {
    std::optional<int64_t> axis = normalizeAxis((*axes)[i], shape->size());
    int64_t step = (*steps)[i];
    if (!axis || step == 0)
      return std::nullopt;
    AffineExpr &dim = (*shape)[*axis];
    AffineExpr start = known ? starts->elements[i] : AffineExpr();
    AffineExpr end = known ? ends->elements[i] : AffineExpr();
    auto size = dyn_cast<AffineConstantExpr>(dim);
    auto first = dyn_cast_or_null<AffineConstantExpr>(start);
    auto last = dyn_cast_or_null<AffineConstantExpr>(end);
    if (size && first && last) {
      dim = symbols.getConstant(
          clampSlice(size.getValue(), first.getValue(), last.getValue(), step)
              .count);
      continue;
    }
    if (!known || step < 0) {
      dim = symbols.createSymbol();
      continue;
    }
    // A slice that leaves the tensor is cut; graphs that run do so only with
    // an end beyond all sizes.
    constexpr int64_t beyond = std::numeric_limits<int32_t>::max();
    if (first && first.getValue() < 0)
      start = dim + start;
    if (last && last.getValue() >= beyond)
      end = dim;
    else if (last && last.getValue() < 0)
      end = dim + end;
    dim = ceilDivide(symbols.simplify(end - start), step);
  }
  return Shapes{*shape};
}

std::optional<Shapes> ShapeInference::inferSplit(NodeOp node) {
  std::optional<SymbolicShape> shape = getShape(node, 0);
  if (!shape)
    return std::nullopt;
  std::optional<int64_t> axis =
      normalizeAxis(node.getInt("axis", 0), shape->size());
  if (!axis)
    return std::nullopt;
  unsigned count = node.getNumResults();
  SmallVector<AffineExpr> sizes;
  if (node.getInput(1)) {
    const SymbolicTensor *given = getElements(node, 1);
    if (!given || given->elements.size() != count)
      return std::nullopt;
    sizes.assign(given->elements.begin(), given->elements.end());
  } else {
    AffineExpr each = ceilDivide((*shape)[*axis], count);
    sizes.assign(count - 1, each);
    sizes.push_back(symbols.simplify((*shape)[*axis] - each * (count - 1)));
  }
  Shapes results;
  for (AffineExpr size : sizes) {
    results.push_back(*shape);
    results.back()[*axis] = size;
  }
  return results;
}

std::optional<Shapes> ShapeInference::inferSqueeze(NodeOp node) {
  std::optional<SymbolicShape> shape = getShape(node, 0);
  std::optional<Shape> axes = getConstants(node, 1);
  if (!shape || (node.getInput(1) && !axes))
    return std::nullopt;
  SmallVector<bool> dropped(shape->size(), false);
  if (axes)
    for (int64_t axis : *axes) {
      std::optional<int64_t> at = normalizeAxis(axis, shape->size());
      if (!at)
        return std::nullopt;
      dropped[*at] = true;
    }
  SymbolicShape result;
  for (auto [dim, gone] : llvm::zip(*shape, dropped))
    if (axes ? !gone : dim != 1)
      result.push_back(dim);
  return Shapes{result};
}

std::optional<Shapes> ShapeInference::inferTile(NodeOp node) {
  std::optional<SymbolicShape> shape = getShape(node, 0);
  const SymbolicTensor *repeats = getElements(node, 1);
  if (!shape || !repeats || repeats->elements.size() != shape->size())
    return std::nullopt;
  for (auto [dim, times] : llvm::zip(*shape, repeats->elements))
    dim = multiply({dim, times});
  return Shapes{*shape};
}

std::optional<Shapes> ShapeInference::inferTranspose(NodeOp node) {
  std::optional<SymbolicShape> shape = getShape(node, 0);
  if (!shape)
    return std::nullopt;
  int64_t rank = shape->size();
  SmallVector<int64_t> reversed(llvm::reverse(countUp(rank)));
  SmallVector<int64_t> order = node.getInts("perm").value_or(reversed);
  if (static_cast<int64_t>(order.size()) != rank)
    return std::nullopt;
  SymbolicShape result;
  for (int64_t axis : order) {
    if (axis < 0 || axis >= rank)
      return std::nullopt;
    result.push_back((*shape)[axis]);
  }
  return Shapes{result};
}

std::optional<Shapes> ShapeInference::inferUnsqueeze(NodeOp node) {
  std::optional<SymbolicShape> shape = getShape(node, 0);
  std::optional<Shape> axes = getConstants(node, 1);
  if (!shape || !axes)
    return std::nullopt;
  size_t rank = shape->size() + axes->size();
  SmallVector<bool> added(rank, false);
  for (int64_t axis : *axes) {
    std::optional<int64_t> at = normalizeAxis(axis, rank);
    if (!at || added[*at])
      return std::nullopt;
    added[*at] = true;
  }
  SymbolicShape result;
  auto *from = shape->begin();
  for (bool one : added)
    result.push_back(one ? symbols.getConstant(1) : *from++);
  return Shapes{result};
}
