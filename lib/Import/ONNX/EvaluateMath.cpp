// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operators that work element by element.
#include "lib/Import/ONNX/Evaluator.h"

#include <cmath>
#include <numeric>

using namespace mlir;
using namespace pmpd::onnx;

/// The indices that bring both operands to one shape.
static bool broadcast(const Tensor &left, const Tensor &right, Selection &l,
                      Selection &r) {
  std::optional<Shape> shape = broadcastShapes(left.shape, right.shape);
  if (!shape || countElements(*shape) > Evaluator::maxElements)
    return false;
  l = *selectExpand(left.shape, *shape);
  r = *selectExpand(right.shape, *shape);
  return true;
}

template <typename To, typename From, typename Function>
static Results combine(const Operands &operands, Function function) {
  const Tensor &left = *operands.get(0), &right = *operands.get(1);
  if (left.isReal() != right.isReal())
    return {};
  Selection l, r;
  if (!broadcast(left, right, l, r))
    return {};
  const auto &a = std::get<From>(left.elements);
  const auto &b = std::get<From>(right.elements);
  To values(l.sources.size());
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = function(a[l.sources[i]], b[r.sources[i]]);
  return {Tensor{l.shape, std::move(values)}};
}

static bool hasTwo(const Operands &operands) {
  return operands.get(0) && operands.get(1);
}

template <typename Real, typename Integer>
static Operator makeBinary(Real real, Integer integer) {
  return [=](const Operands &operands) {
    if (!hasTwo(operands))
      return Results();
    return operands.get(0)->isReal()
               ? combine<Tensor::Reals, Tensor::Reals>(operands, real)
               : combine<Tensor::Integers, Tensor::Integers>(operands, integer);
  };
}

template <typename Function> static Operator makeComparison(Function function) {
  return [=](const Operands &operands) {
    if (!hasTwo(operands))
      return Results();
    return operands.get(0)->isReal()
               ? combine<Tensor::Integers, Tensor::Reals>(operands, function)
               : combine<Tensor::Integers, Tensor::Integers>(operands,
                                                             function);
  };
}

template <typename Function> static Operator makeUnary(Function function) {
  return [=](const Operands &operands) {
    const Tensor *input = operands.get(0);
    if (!input || !input->isReal())
      return Results();
    Tensor::Reals values = input->reals();
    for (double &value : values)
      value = function(value);
    return Results{Tensor{input->shape, std::move(values)}};
  };
}

/// For operators that also work on integers.
template <typename Function> static Operator makeSigned(Function function) {
  return [=](const Operands &operands) {
    Tensor result = *operands.get(0);
    std::visit(
        [&](auto &elements) {
          for (auto &element : elements)
            element = function(element);
        },
        result.elements);
    return Results{std::move(result)};
  };
}

template <typename Function> static Operator makePredicate(Function function) {
  return [=](const Operands &operands) {
    const Tensor &input = *operands.get(0);
    Tensor::Integers values(input.size());
    for (size_t i = 0; i < values.size(); ++i)
      values[i] = function(input.at(i));
    return Results{Tensor{input.shape, std::move(values)}};
  };
}

/// Wraps like the operator does instead of overflowing.
template <typename Function> static auto makeWrapping(Function function) {
  return [=](int64_t a, int64_t b) {
    return static_cast<int64_t>(function(uint64_t(a), uint64_t(b)));
  };
}

static int64_t divide(int64_t a, int64_t b) {
  return b == 0 || (b == -1 && a == INT64_MIN) ? 0 : a / b;
}

static int64_t power(int64_t base, int64_t exponent) {
  return std::llround(std::pow(double(base), double(exponent)));
}

static Results cast(const Tensor &input, Type type) {
  if (isa<FloatType>(type)) {
    if (input.isReal())
      return {input};
    return {Tensor{input.shape, Tensor::Reals(input.integers().begin(),
                                              input.integers().end())}};
  }
  Tensor::Integers values(input.size());
  for (size_t i = 0; i < values.size(); ++i) {
    if (type.isInteger(1))
      values[i] = input.at(i) != 0;
    else if (!input.isReal())
      values[i] = input.integers()[i];
    else // out of range is undefined; saturate
      values[i] = std::isnan(input.at(i))  ? 0
                  : input.at(i) >= 9.2e18  ? INT64_MAX
                  : input.at(i) <= -9.2e18 ? INT64_MIN
                                           : static_cast<int64_t>(input.at(i));
  }
  return {Tensor{input.shape, std::move(values)}};
}

static Results castToResult(const Operands &operands) {
  auto type = cast<TensorType>(operands.node.getResult(0).getType());
  return cast(*operands.get(0), type.getElementType());
}

static Results where(const Operands &operands) {
  if (!hasTwo(operands) || !operands.get(2) ||
      operands.get(1)->isReal() != operands.get(2)->isReal())
    return {};
  const Tensor &condition = *operands.get(0);
  const Tensor &yes = *operands.get(1), &no = *operands.get(2);
  std::optional<Shape> shape = broadcastShapes(yes.shape, no.shape);
  if (shape)
    shape = broadcastShapes(*shape, condition.shape);
  if (!shape || countElements(*shape) > Evaluator::maxElements)
    return {};
  Selection c = *selectExpand(condition.shape, *shape);
  Selection y = *selectExpand(yes.shape, *shape);
  Selection n = *selectExpand(no.shape, *shape);
  Tensor result{*shape, {}};
  std::visit(
      [&](const auto &a) {
        using Elements = std::decay_t<decltype(a)>;
        const auto &b = std::get<Elements>(no.elements);
        Elements values(c.sources.size());
        for (size_t i = 0; i < values.size(); ++i)
          values[i] = condition.at(c.sources[i]) != 0 ? a[y.sources[i]]
                                                      : b[n.sources[i]];
        result.elements = std::move(values);
      },
      yes.elements);
  return {std::move(result)};
}

/// Min, Max and others of any number of inputs, two at a time.
static Operator makeVariadic(Operator binary) {
  return [=](const Operands &operands) {
    Results total = {*operands.get(0)};
    for (const Tensor *next : operands.inputs.drop_front()) {
      Tensor left = std::move(total.front());
      total = binary({operands.node, {&left, next}});
      if (total.empty())
        return Results();
    }
    return total;
  };
}

static Results clip(const Operands &operands) {
  Tensor result = *operands.get(0);
  const Tensor *low = operands.get(1), *high = operands.get(2);
  if ((low && low->size() != 1) || (high && high->size() != 1))
    return {};
  std::visit(
      [&](auto &elements) {
        using Element = typename std::decay_t<decltype(elements)>::value_type;
        for (auto &element : elements) {
          if (low)
            element = std::max(element, static_cast<Element>(low->at(0)));
          if (high)
            element = std::min(element, static_cast<Element>(high->at(0)));
        }
      },
      result.elements);
  return {std::move(result)};
}

void pmpd::onnx::addArithmeticOperators(OperatorTable &table) {
  table["Add"] =
      makeBinary(std::plus<double>(), makeWrapping(std::plus<uint64_t>()));
  table["Sub"] =
      makeBinary(std::minus<double>(), makeWrapping(std::minus<uint64_t>()));
  table["Mul"] = makeBinary(std::multiplies<double>(),
                            makeWrapping(std::multiplies<uint64_t>()));
  table["Div"] = makeBinary(std::divides<double>(), divide);
  table["Pow"] = [](const Operands &operands) {
    if (!hasTwo(operands))
      return Results();
    // The exponent may be of another type than the base.
    Tensor exponent{operands.get(1)->shape, {}};
    Tensor::Reals reals(operands.get(1)->size());
    for (size_t i = 0; i < reals.size(); ++i)
      reals[i] = operands.get(1)->at(i);
    if (operands.get(0)->isReal())
      exponent.elements = std::move(reals);
    else
      exponent.elements = Tensor::Integers(reals.begin(), reals.end());
    return makeBinary([](double a, double b) { return std::pow(a, b); },
                      power)({operands.node, {operands.get(0), &exponent}});
  };
  table["Mod"] = [](const Operands &operands) {
    if (!hasTwo(operands))
      return Results();
    bool truncates = operands.node.getInt("fmod", 0);
    return makeBinary([](double a, double b) { return std::fmod(a, b); },
                      [=](int64_t a, int64_t b) {
                        if (b == 0 || b == -1)
                          return int64_t(0);
                        int64_t rest = a % b;
                        bool moves =
                            !truncates && rest != 0 && (rest < 0) != (b < 0);
                        return moves ? rest + b : rest;
                      })(operands);
  };
  table["Max"] = makeVariadic(
      makeBinary([](double a, double b) { return std::max(a, b); },
                 [](int64_t a, int64_t b) { return std::max(a, b); }));
  table["Min"] = makeVariadic(
      makeBinary([](double a, double b) { return std::min(a, b); },
                 [](int64_t a, int64_t b) { return std::min(a, b); }));
  table["Equal"] = makeComparison([](auto a, auto b) { return a == b; });
  table["Less"] = makeComparison([](auto a, auto b) { return a < b; });
  table["LessOrEqual"] = makeComparison([](auto a, auto b) { return a <= b; });
  table["Greater"] = makeComparison([](auto a, auto b) { return a > b; });
  table["GreaterOrEqual"] =
      makeComparison([](auto a, auto b) { return a >= b; });
  table["And"] = makeComparison([](auto a, auto b) { return a && b; });
  table["Or"] = makeComparison([](auto a, auto b) { return a || b; });
  table["Xor"] = makeComparison([](auto a, auto b) { return !a != !b; });
  table["Not"] = makePredicate([](double a) { return a == 0; });
  table["IsNaN"] = makePredicate([](double a) { return std::isnan(a); });
  table["IsInf"] = [](const Operands &operands) {
    bool positive = operands.node.getInt("detect_positive", 1);
    bool negative = operands.node.getInt("detect_negative", 1);
    return makePredicate([=](double a) {
      return std::isinf(a) && (a > 0 ? positive : negative);
    })(operands);
  };
  table["Neg"] = makeSigned([](auto a) { return -a; });
  table["Abs"] = makeSigned([](auto a) { return a < 0 ? -a : a; });
  table["Sign"] = makeSigned([](auto a) { return (a > 0) - (a < 0); });
  table["Relu"] = makeSigned([](auto a) { return a < 0 ? a * 0 : a; });
  table["Sqrt"] = makeUnary([](double a) { return std::sqrt(a); });
  table["Reciprocal"] = makeUnary([](double a) { return 1 / a; });
  table["Exp"] = makeUnary([](double a) { return std::exp(a); });
  table["Log"] = makeUnary([](double a) { return std::log(a); });
  table["Sin"] = makeUnary([](double a) { return std::sin(a); });
  table["Cos"] = makeUnary([](double a) { return std::cos(a); });
  table["Tanh"] = makeUnary([](double a) { return std::tanh(a); });
  table["Erf"] = makeUnary([](double a) { return std::erf(a); });
  table["Sigmoid"] = makeUnary([](double a) { return 1 / (1 + std::exp(-a)); });
  table["Softplus"] =
      makeUnary([](double a) { return std::log1p(std::exp(a)); });
  table["Floor"] = makeUnary([](double a) { return std::floor(a); });
  table["Ceil"] = makeUnary([](double a) { return std::ceil(a); });
  table["Round"] = makeUnary([](double a) { return std::nearbyint(a); });
  table["Cast"] = castToResult;
  table["CastLike"] = castToResult;
  table["Clip"] = clip;
  table["Where"] = where;
}
