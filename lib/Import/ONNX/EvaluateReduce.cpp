// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operators that combine the elements of an axis.
#include "lib/Import/ONNX/Evaluator.h"

#include <cmath>

using namespace mlir;
using namespace pmpd::onnx;

/// Folds the axes of input 1 (or all) into `initial`; `finish` gets the number
/// of elements that went into each result.
template <typename Fold, typename Finish>
static Results reduce(const Operands &operands, double initial, Fold fold,
                      Finish finish) {
  const Tensor &input = *operands.get(0);
  int64_t rank = input.shape.size();
  Shape axes = countUp(rank);
  if (auto given = operands.getIntegers(1)) {
    if (given->empty() && operands.node.getInt("noop_with_empty_axes", 0))
      return {input};
    if (!given->empty())
      axes.assign(given->begin(), given->end());
  }
  Shape kept = input.shape;
  for (int64_t &axis : axes) {
    std::optional<int64_t> at = normalizeAxis(axis, rank);
    if (!at)
      return {};
    axis = *at;
    kept[axis] = 1;
  }
  Selection target = *selectExpand(kept, input.shape);
  std::vector<double> sums(countElements(kept), initial);
  for (int64_t i = 0, e = input.size(); i < e; ++i)
    sums[target.sources[i]] = fold(sums[target.sources[i]], input.at(i));
  double count = sums.empty() ? 0 : double(input.size()) / sums.size();
  for (double &sum : sums)
    sum = finish(sum, count);
  if (!operands.node.getInt("keepdims", 1))
    kept = *squeezeShape(kept, ArrayRef<int64_t>(axes));
  if (input.isReal())
    return {Tensor{kept, std::move(sums)}};
  return {Tensor{kept, Tensor::Integers(sums.begin(), sums.end())}};
}

template <typename Fold>
static Operator makeReduction(double initial, Fold fold) {
  return [=](const Operands &operands) {
    return reduce(operands, initial, fold,
                  [](double sum, double) { return sum; });
  };
}

static Results cumulativeSum(const Operands &operands) {
  Tensor result = *operands.get(0);
  const Tensor *axisInput = operands.get(1);
  if (!axisInput || axisInput->size() != 1)
    return {};
  std::optional<int64_t> axis =
      normalizeAxis(axisInput->at(0), result.shape.size());
  if (!axis)
    return {};
  int64_t size = result.shape[*axis];
  int64_t inner =
      countElements(ArrayRef<int64_t>(result.shape).drop_front(*axis + 1));
  bool exclusive = operands.node.getInt("exclusive", 0);
  bool reverse = operands.node.getInt("reverse", 0);
  std::visit(
      [&](auto &elements) {
        using Element = typename std::decay_t<decltype(elements)>::value_type;
        for (int64_t line = 0, e = result.size(); line < e; ++line) {
          if (line / inner % size != 0)
            continue;
          Element sum = 0;
          for (int64_t k = 0; k < size; ++k) {
            int64_t at = line + (reverse ? size - 1 - k : k) * inner;
            Element element = elements[at];
            elements[at] = exclusive ? sum : sum + element;
            sum += element;
          }
        }
      },
      result.elements);
  return {std::move(result)};
}

/// Batched matrix product; vectors are not supported.
static Results matrixProduct(const Operands &operands) {
  const Tensor *left = operands.get(0), *right = operands.get(1);
  if (!left || !right || left->shape.size() < 2 || right->shape.size() < 2)
    return {};
  int64_t rows = left->shape.end()[-2], inner = left->shape.back();
  int64_t cols = right->shape.back();
  ArrayRef<int64_t> l = left->shape, r = right->shape;
  std::optional<Shape> shape = broadcastShapes(l.drop_back(2), r.drop_back(2));
  if (!shape || right->shape.end()[-2] != inner)
    return {};
  // Which matrix of each operand a matrix of the result is the product of.
  Selection lefts = *selectExpand(l.drop_back(2), *shape);
  Selection rights = *selectExpand(r.drop_back(2), *shape);
  shape->append({rows, cols});
  if (countElements(*shape) >
      Evaluator::maxElements / std::max<int64_t>(inner, 1))
    return {};
  Tensor::Reals values(countElements(*shape), 0.0);
  for (size_t m = 0; m < lefts.sources.size(); ++m)
    for (int64_t i = 0; i < rows; ++i)
      for (int64_t k = 0; k < inner; ++k) {
        double factor = left->at((lefts.sources[m] * rows + i) * inner + k);
        for (int64_t j = 0; j < cols; ++j)
          values[(m * rows + i) * cols + j] +=
              factor * right->at((rights.sources[m] * inner + k) * cols + j);
      }
  return {Tensor{*shape, std::move(values)}};
}

void pmpd::onnx::addReductionOperators(OperatorTable &table) {
  table["CumSum"] = cumulativeSum;
  table["MatMul"] = matrixProduct;
  table["ReduceMax"] = makeReduction(
      -INFINITY, [](double a, double b) { return std::max(a, b); });
  table["ReduceMin"] = makeReduction(
      INFINITY, [](double a, double b) { return std::min(a, b); });
  table["ReduceProd"] =
      makeReduction(1, [](double a, double b) { return a * b; });
  table["ReduceSum"] =
      makeReduction(0, [](double a, double b) { return a + b; });
  table["ReduceMean"] = [](const Operands &operands) {
    return reduce(
        operands, 0, [](double a, double b) { return a + b; },
        [](double sum, double count) { return sum / count; });
  };
}
