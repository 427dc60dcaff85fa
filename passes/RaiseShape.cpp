// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operators that rearrange a value or pass it through.
#include "passes/Raise.h"

using namespace mlir;
using namespace pmpd;
using namespace pmpd::raise;
using onnx::NodeOp;

Meaning Raiser::raisePassThrough(NodeOp node) {
  return meanings.find(node.getInputs()[0])->second;
}

Meaning Raiser::changeView(
    NodeOp node, llvm::function_ref<std::optional<View>(const View &)> change) {
  Value input = node.getInputs()[0];
  auto changed = [&](auto meaning) -> Meaning {
    std::optional<View> view = change(meaning.view);
    if (!view)
      return refuse(node,
                    "expected a rearrangement of rows, heads and columns");
    meaning.view = *view;
    return meaning;
  };
  if (const auto *tokens = get<Tokens>(input))
    return changed(*tokens);
  if (const auto *cache = get<Cache>(input))
    return changed(*cache);
  std::optional<Features> features = getFeatures(node, input);
  if (!features)
    return Poison();
  return changed(*features);
}

Meaning Raiser::raiseReshape(NodeOp node) {
  SmallVector<Dim> dims = probes.classify(node.getResult(0));
  if (const auto *combination = get<Combination>(node.getInputs()[0])) {
    // Only the axes behind the rows may change.
    size_t prefix = combination->view.axes.size();
    Combination result = *combination;
    result.trailing.clear();
    bool fits = dims.size() >= prefix;
    for (size_t a = prefix; a < dims.size(); ++a) {
      fits &= dims[a].kind == Dim::Constant;
      result.trailing.push_back(dims[a].size);
    }
    View rows{{}, 0, combination->view.axes};
    if (fits) {
      std::optional<View> kept =
          reshapeView(rows, ArrayRef<Dim>(dims).take_front(prefix));
      if (kept && kept->axes == rows.axes &&
          onnx::countElements(result.trailing) ==
              static_cast<int64_t>(result.elements.size()))
        return result;
    }
  }
  if (const auto *statistic = get<Statistic>(node.getInputs()[0]))
    return *statistic;
  return changeView(node,
                    [&](const View &view) { return reshapeView(view, dims); });
}

Meaning Raiser::raiseTranspose(NodeOp node) {
  return changeView(node, [&](const View &view) {
    SmallVector<int64_t> reversed(
        llvm::reverse(onnx::countUp(view.axes.size())));
    return transposeView(view, node.getInts("perm").value_or(reversed));
  });
}

Meaning Raiser::raiseExpand(NodeOp node) {
  SmallVector<Dim> dims = probes.classify(node.getResult(0));
  return changeView(node,
                    [&](const View &view) { return expandView(view, dims); });
}

Meaning Raiser::raiseSlice(NodeOp node) {
  // A slice that keeps everything, of any value.
  Type type = node.getResult(0).getType();
  if (isa<RankedTensorType>(type) && type == node.getInputs()[0].getType())
    return raisePassThrough(node);
  std::optional<onnx::Shape> ranges[4]; // starts, ends, axes, steps
  for (unsigned i = 0; i < 4; ++i) {
    Value input = node.getInput(i + 1);
    if (input)
      ranges[i] = getIntegers(input);
    if (input && !ranges[i])
      return refuse(node, "expected columns sliced by constants");
  }
  size_t count = ranges[0]->size();
  if (!ranges[2])
    ranges[2] = onnx::countUp(count);
  if (!ranges[3])
    ranges[3] = onnx::Shape(count, 1);
  return changeView(node, [&](const View &view) -> std::optional<View> {
    std::optional<View> result = view;
    for (size_t i = 0; i < count && result; ++i) {
      std::optional<int64_t> axis =
          onnx::normalizeAxis((*ranges[2])[i], view.axes.size());
      if (!axis || (*ranges[3])[i] == 0)
        return std::nullopt;
      const Axis &sliced = result->axes[*axis];
      if (sliced.size() != 1 || sliced[0].kind != Atom::Column)
        return std::nullopt;
      result = sliceView(*result, *axis,
                         onnx::clampSlice(sliced[0].size, (*ranges[0])[i],
                                          (*ranges[1])[i], (*ranges[3])[i]));
    }
    return result;
  });
}

Meaning Raiser::raiseSplit(NodeOp node) {
  std::optional<Features> features = getFeatures(node, node.getInputs()[0]);
  if (!features)
    return Poison();
  std::optional<int64_t> axis =
      onnx::normalizeAxis(node.getInt("axis", 0), features->view.axes.size());
  int64_t start = 0;
  for (Value result : node.getResults()) {
    SmallVector<Dim> dims = probes.classify(result);
    std::optional<View> view;
    if (axis && dims.size() == features->view.axes.size() &&
        dims[*axis].kind == Dim::Constant) {
      int64_t size = dims[*axis].size;
      view = sliceView(features->view, *axis, {start, size, 1});
      start += size;
    }
    if (!view)
      return refuse(node, "expected columns split by constants");
    meanings[result] = Features{*view, features->function, features->centered};
  }
  return meanings[node.getResult(0)];
}

Meaning Raiser::raiseGather(NodeOp node) {
  Value data = node.getInputs()[0], indices = node.getInputs()[1];
  if (get<Tokens>(indices))
    return raiseEmbedding(node);
  std::optional<onnx::Shape> index;
  if (isAuxiliary(indices))
    index = getIntegers(indices);
  auto type = dyn_cast<RankedTensorType>(indices.getType());
  if (isAuxiliary(data) || !index || !type || type.getRank() != 0)
    return refuse(node, "expected rows of a table by tokens, or columns by a "
                        "constant");
  return changeView(node, [&](const View &view) -> std::optional<View> {
    std::optional<int64_t> axis =
        onnx::normalizeAxis(node.getInt("axis", 0), view.axes.size());
    return axis ? indexView(view, *axis, index->front()) : std::nullopt;
  });
}

Meaning Raiser::raiseConcat(NodeOp node) {
  if (llvm::any_of(node.getInputs(),
                   [&](Value input) { return get<Past>(input); }))
    return appendPast(node);
  return concatCombinations(node);
}
