// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operators that work element by element, and the norms they build.
#include "passes/Raise.h"

#include "llvm/ADT/StringSwitch.h"

#include <cmath>

using namespace mlir;
using namespace pmpd;
using namespace pmpd::raise;
using onnx::NodeOp;

static double (*getUnary(StringRef opType))(double) {
  return llvm::StringSwitch<double (*)(double)>(opType)
      .Case("Abs", [](double x) { return std::abs(x); })
      .Case("Erf", [](double x) { return std::erf(x); })
      .Case("Exp", [](double x) { return std::exp(x); })
      .Case("Neg", [](double x) { return -x; })
      .Case("Reciprocal", [](double x) { return 1 / x; })
      .Case("Relu", [](double x) { return x < 0 ? 0 : x; })
      .Case("Sigmoid", [](double x) { return 1 / (1 + std::exp(-x)); })
      .Case("Sqrt", [](double x) { return std::sqrt(x); })
      .Case("Tanh", [](double x) { return std::tanh(x); });
}

static double (*getBinary(StringRef opType))(double, double) {
  return llvm::StringSwitch<double (*)(double, double)>(opType)
      .Case("Add", [](double a, double b) { return a + b; })
      .Case("Div", [](double a, double b) { return a / b; })
      .Case("Max", [](double a, double b) { return std::max(a, b); })
      .Case("Min", [](double a, double b) { return std::min(a, b); })
      .Case("Mul", [](double a, double b) { return a * b; })
      .Case("Pow", [](double a, double b) { return std::pow(a, b); })
      .Case("Sub", [](double a, double b) { return a - b; });
}

Meaning Raiser::raiseUnary(NodeOp node) {
  return raiseScalar(node, meanings.find(node.getInputs()[0])->second,
                     getUnary(node.getOpType()));
}

Meaning Raiser::raiseScalar(NodeOp node, const Meaning &operand,
                            Function function) {
  if (const auto *features = std::get_if<Features>(&operand))
    return Features{features->view, compose(function, features->function),
                    features->centered};
  if (const auto *statistic = std::get_if<Statistic>(&operand)) {
    Statistic result = *statistic;
    result.function = compose(function, statistic->function);
    return result;
  }
  std::optional<double> scale = getScale(function);
  if (const auto *combination = std::get_if<Combination>(&operand);
      combination && scale) {
    Combination result = *combination;
    for (auto &terms : result.elements)
      for (Term &term : terms)
        term.factor *= *scale;
    return result;
  }
  if (const auto *cache = std::get_if<Cache>(&operand); cache && scale) {
    Cache result = *cache;
    result.scale *= *scale;
    return result;
  }
  if (const auto *scores = std::get_if<Scores>(&operand);
      scores && scale && scores->masks.empty()) {
    Scores result = *scores;
    result.scale *= *scale;
    return result;
  }
  return refuse(node, "expected a function of features, or scores, keys or "
                      "parts of a rotary embedding times a constant");
}

Meaning Raiser::raiseBinary(NodeOp node) {
  if (node.getInputs().size() != 2)
    return refuse(node, "expected two inputs");
  Value left = node.getInputs()[0], right = node.getInputs()[1];
  bool isLeftAuxiliary = isAuxiliary(left);
  if (!isLeftAuxiliary && !isAuxiliary(right))
    return raisePair(node);
  Value data = isLeftAuxiliary ? right : left;
  Value auxiliary = isLeftAuxiliary ? left : right;
  std::optional<double> number = getNumber(auxiliary);
  if (!number)
    return raiseWithTable(node, data, auxiliary);
  auto *function = getBinary(node.getOpType());
  return raiseScalar(node, meanings.find(data)->second,
                     [=, c = *number](double x) {
                       return isLeftAuxiliary ? function(c, x) : function(x, c);
                     });
}

Meaning Raiser::raiseWithTable(NodeOp node, Value data, Value auxiliary) {
  StringRef opType = node.getOpType();
  const auto *norm = get<Normalized>(data);
  if (opType == "Add") {
    if (const auto *scores = get<Scores>(data)) {
      Scores masked = *scores;
      masked.masks.push_back({auxiliary, {}, false, 0});
      return masked;
    }
    if (norm && norm->centered && norm->weight)
      return emitNorm(node, *norm, norm->weight, auxiliary);
    std::optional<Features> features = getFeatures(node, data);
    return features ? addBias(node, *features, auxiliary) : Meaning(Poison());
  }
  if (opType == "Mul" && norm && !norm->weight) {
    if (!norm->centered)
      return emitNorm(node, *norm, auxiliary, {});
    Normalized weighted = *norm;
    weighted.weight = auxiliary;
    return weighted;
  }
  if (opType == "Mul")
    if (std::optional<Combination> combination =
            getCombination(meanings.find(data)->second))
      return multiplyTable(node, *combination, auxiliary);
  return refuse(node, "expected a bias, a mask, a norm's weight or a rotary "
                      "table as the other operand");
}

static bool isSameView(const View &left, const View &right) {
  return left.base == right.base && isSameLayout(left, right);
}

Meaning Raiser::raisePair(NodeOp node) {
  StringRef opType = node.getOpType();
  Value left = node.getInputs()[0], right = node.getInputs()[1];
  const auto *a = get<Features>(left), *b = get<Features>(right);
  auto *function = getBinary(opType);
  if (a && b && a->centered == b->centered && isSameView(a->view, b->view)) {
    Function f = a->function, g = b->function;
    return Features{a->view,
                    [=](double x) { return function(call(f, x), call(g, x)); },
                    a->centered};
  }
  if (const auto *mean = get<Statistic>(right); a && mean) {
    bool isPlain = getScale(a->function) == 1.0 && !a->centered;
    if (opType == "Sub" && isPlain && !mean->squared && !mean->centered &&
        getScale(mean->function) == 1.0 && isSameView(a->view, mean->view))
      return Features{a->view, nullptr, /*centered=*/true};
    if (opType == "Mul" || opType == "Div")
      return normalize(node, *a, *mean, opType == "Div");
  }
  if (const auto *mean = get<Statistic>(left); b && mean && opType == "Mul")
    return normalize(node, *b, *mean, /*divides=*/false);
  bool adds = opType == "Add" || opType == "Sub";
  if (adds && (get<Combination>(left) || get<Combination>(right))) {
    std::optional<Combination> l = getCombination(meanings.find(left)->second);
    std::optional<Combination> r = getCombination(meanings.find(right)->second);
    if (l && r)
      return addCombinations(node, *l, *r, opType == "Add" ? 1 : -1);
  }
  if (opType != "Add" && opType != "Mul")
    return refuse(node, "expected one operand to be a constant");
  std::optional<Features> x = getFeatures(node, left);
  std::optional<Features> y = getFeatures(node, right);
  if (x && y)
    x = combine(node, *x, *y, opType == "Add");
  return x && y ? Meaning(*x) : Poison();
}

std::optional<Features> Raiser::combine(NodeOp node, const Features &left,
                                        const Features &right, bool adds) {
  std::optional<Features> x = settle(node, left);
  std::optional<Features> y = settle(node, right);
  if (!x || !y)
    return std::nullopt;
  if (!isSameLayout(x->view, y->view)) {
    refuse(node, "expected operands with the same rows and columns");
    return std::nullopt;
  }
  Value a = x->view.base, b = y->view.base;
  x->view.base = adds ? AddOp::create(builder, node.getLoc(), a, b).getResult()
                      : MulOp::create(builder, node.getLoc(), a, b);
  return x;
}

Meaning Raiser::raiseWhere(NodeOp node) {
  Value condition = node.getInputs()[0];
  // Exporters guard softmax against rows that see nothing.
  if (const auto *test = get<NaNTest>(condition);
      test && test->of == node.getInputs()[2])
    return meanings.find(test->of)->second;
  for (unsigned kept : {1, 2}) {
    const auto *scores = get<Scores>(node.getInputs()[kept]);
    Value other = node.getInputs()[3 - kept];
    if (!scores || !isAuxiliary(condition) || !isAuxiliary(other))
      continue;
    std::optional<double> filler = getNumber(other);
    if (!filler)
      break;
    Scores masked = *scores;
    masked.masks.push_back({{}, condition, /*keepWhere=*/kept == 1, *filler});
    return masked;
  }
  return refuse(node, "expected scores masked by a condition on positions");
}

Meaning Raiser::raiseIsNaN(NodeOp node) { return NaNTest{node.getInputs()[0]}; }

Meaning Raiser::raiseReduceMean(NodeOp node) {
  std::optional<Features> features;
  if (const auto *centered = get<Features>(node.getInputs()[0]))
    features = *centered; // getFeatures refuses these
  else
    features = getFeatures(node, node.getInputs()[0]);
  if (!features)
    return Poison();
  std::optional<onnx::Shape> axes;
  if (Value input = node.getInput(1))
    axes = getIntegers(input);
  const View &view = features->view;
  int64_t rank = view.axes.size();
  if (!axes || axes->size() != 1 ||
      onnx::normalizeAxis(axes->front(), rank) != rank - 1)
    return refuse(node, "expected the mean over the last axis");
  bool squared = isSquare(features->function);
  if (!squared && getScale(features->function) != 1.0)
    return refuse(node, "expected the mean of rows or of their squares");
  return Statistic{view, nullptr, features->centered, squared};
}

Meaning Raiser::normalize(NodeOp node, const Features &rows,
                          const Statistic &statistic, bool divides) {
  Function factor = statistic.function;
  if (divides)
    factor = [f = statistic.function](double x) { return 1 / call(f, x); };
  std::optional<double> eps = getInverseRootEps(factor);
  if (!eps || !statistic.squared || statistic.centered != rows.centered ||
      getScale(rows.function) != 1.0 || !isSameView(rows.view, statistic.view))
    return refuse(node, "expected rows divided by the root of the mean of "
                        "their squares plus a small number");
  return Normalized{rows.view, *eps, rows.centered, {}};
}

Meaning Raiser::emitNorm(NodeOp node, const Normalized &norm, Value weight,
                         Value bias) {
  std::optional<Features> result = settle(node, Features{norm.view, nullptr});
  if (!result)
    return Poison();
  Value &rows = result->view.base;
  // The columns of a row, or those of each of its heads.
  if (!weight || (norm.centered && !bias))
    return refuse(node, norm.centered ? "expected a weight and a bias"
                                      : "expected a weight");
  const Axis &last = result->view.axes.back();
  int64_t cols = getColumns(last);
  if (!isColumnRun(last, cols))
    return refuse(node, "expected a norm over adjacent columns of rows");
  FailureOr<FlatSymbolRefAttr> scale = getVector(node, weight, cols, "");
  if (failed(scale))
    return Poison();
  FloatAttr eps = builder.getF64FloatAttr(norm.eps);
  if (!norm.centered) {
    rows = RmsNormOp::create(builder, node.getLoc(), rows.getType(), rows,
                             *scale, eps);
    return *result;
  }
  if (cols != cast<RankedTensorType>(rows.getType()).getDimSize(1))
    return refuse(node, "expected a mean over all columns of a row; of single "
                        "heads, only norms without it are supported");
  FailureOr<FlatSymbolRefAttr> shift = getVector(node, bias, cols, ".bias");
  if (failed(shift))
    return Poison();
  rows = LayerNormOp::create(builder, node.getLoc(), rows.getType(), rows,
                             *scale, *shift, eps);
  return *result;
}

Meaning Raiser::raiseLayerNormalization(NodeOp node) {
  bool centered = node.getOpType() == "LayerNormalization";
  SmallVector<StringRef> inputs = {"X", "scale"};
  if (centered)
    inputs.push_back("B");
  if (!hasOnly(node, {"axis", "epsilon", "stash_type"}, inputs, 1))
    return Poison();
  std::optional<Features> features = getFeatures(node, node.getInputs()[0]);
  if (!features)
    return Poison();
  int64_t rank = features->view.axes.size();
  if (onnx::normalizeAxis(node.getInt("axis", -1), rank) != rank - 1)
    return refuse(node, "expected a norm over the last axis");
  std::optional<Features> settled = settle(node, *features);
  if (!settled)
    return Poison();
  return emitNorm(node,
                  {settled->view, node.getFloat("epsilon", 1e-5), centered},
                  node.getInput(1), centered ? node.getInput(2) : Value());
}
