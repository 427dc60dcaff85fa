// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From views and functions of values to values.
#include "passes/Raise.h"

using namespace mlir;
using namespace pmpd;
using namespace pmpd::raise;
using onnx::NodeOp;

static StringRef describe(const Meaning &meaning) {
  static constexpr llvm::StringLiteral names[] = {
      "something refused",
      "a value that depends on positions and shapes only",
      "token ids",
      "a past key or value",
      "features",
      "a row's mean",
      "normalized rows that lack their weight or bias",
      "part of a rotary embedding",
      "cached keys or values",
      "attention scores",
      "attention probabilities",
      "a test for NaN"};
  static_assert(std::size(names) == std::variant_size_v<Meaning>);
  return names[meaning.index()];
}

std::optional<Features> Raiser::getFeatures(NodeOp node, Value value) {
  const Meaning &meaning = meanings.find(value)->second;
  if (const auto *combination = std::get_if<Combination>(&meaning))
    return emitRope(node, *combination);
  const auto *features = std::get_if<Features>(&meaning);
  if (features && !features->centered)
    return *features;
  refuse(node, "expected features, but got " +
                   (features ? "rows without their mean" : describe(meaning)));
  return std::nullopt;
}

std::optional<View> Raiser::compact(const View &view) {
  SmallVector<Atom> columns;
  for (const Axis &axis : view.axes)
    llvm::copy_if(axis, std::back_inserter(columns),
                  [](const Atom &atom) { return atom.kind == Atom::Column; });
  llvm::sort(columns,
             [](const Atom &a, const Atom &b) { return a.stride < b.stride; });
  int64_t span = 1;
  for (const Atom &atom : columns) {
    if (atom.stride != span)
      return std::nullopt;
    span *= atom.size;
  }
  View result = view;
  int64_t width = cast<RankedTensorType>(view.base.getType()).getDimSize(1);
  if (span == width)
    return result;
  // Columns of a product are rows of its weight.
  auto linear = view.base.getDefiningOp<LinearOp>();
  if (!linear)
    return std::nullopt;
  Value &slice = slices[{view.base, {view.offset, span}}];
  if (!slice) {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPoint(linear);
    FlatSymbolRefAttr bias;
    if (linear.getBiasAttr())
      bias = getSlice(linear.getBiasAttr(), view.offset, span);
    slice = LinearOp::create(
        builder, linear.getLoc(),
        RankedTensorType::get({ShapedType::kDynamic, span},
                              builder.getF32Type()),
        linear.getInput(), getSlice(linear.getWeightAttr(), view.offset, span),
        bias, IntegerAttr(), IntegerAttr());
  }
  result.base = slice;
  result.offset = 0;
  return result;
}

Value Raiser::applyFunction(Value rows, const Function &function) {
  std::optional<double> scale = getScale(function);
  if (scale && *scale == 1.0)
    return rows;
  if (scale) {
    auto embedding = rows.getDefiningOp<EmbedOp>();
    if (!embedding)
      return {};
    return EmbedOp::create(
        builder, embedding.getLoc(), rows.getType(), embedding.getTokens(),
        embedding.getTableAttr(),
        builder.getF64FloatAttr(embedding.getScale().convertToDouble() *
                                *scale));
  }
  std::optional<ActivationKind> kind = classifyActivation(function);
  if (!kind)
    return {};
  return ActivateOp::create(builder, rows.getLoc(), rows.getType(), *kind,
                            rows);
}

std::optional<Features> Raiser::settle(NodeOp node, const Features &features) {
  std::optional<View> view = compact(features.view);
  if (!view) {
    refuse(node, "expected adjacent columns, or a slice of the result of a "
                 "matrix product");
    return std::nullopt;
  }
  Value rows = applyFunction(view->base, features.function);
  if (!rows) {
    refuse(node, "expected silu, gelu or relu, but got another function of "
                 "its input");
    return std::nullopt;
  }
  view->base = rows;
  return Features{*view, nullptr};
}

Value Raiser::getRows(NodeOp node, const Features &features) {
  std::optional<Features> settled = settle(node, features);
  if (!settled)
    return {};
  const View &view = settled->view;
  std::optional<size_t> rows = findRows(view);
  int64_t width = cast<RankedTensorType>(view.base.getType()).getDimSize(1);
  bool ordered = rows.has_value();
  for (size_t a = 0; ordered && a < *rows; ++a)
    ordered = view.axes[a].empty();
  int64_t stride = width;
  for (size_t a = rows.value_or(0) + 1; ordered && a < view.axes.size(); ++a)
    for (const Atom &atom : view.axes[a]) {
      ordered &= atom.size * atom.stride == stride;
      stride = atom.stride;
    }
  if (!ordered || stride != 1) {
    refuse(node, "expected rows with their columns in order");
    return {};
  }
  return view.base;
}

Features Raiser::makeFeatures(Value rows, ArrayRef<Axis> prefix) {
  int64_t width = cast<RankedTensorType>(rows.getType()).getDimSize(1);
  View view{rows, 0, {}};
  view.axes.append(prefix.begin(), prefix.end());
  view.axes.push_back({Atom{Atom::Column, width, 1}});
  return Features{view, nullptr};
}
