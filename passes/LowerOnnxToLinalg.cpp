// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/ONNX/ONNX.h"
#include "lib/Import/ONNX/Elements.h"
#include "passes/LinalgTensors.h"
#include "passes/Passes.h"

#include "mlir/Dialect/Arith/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Linalg/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Tensor/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/ADT/StringSwitch.h"

#include <cmath>

using namespace mlir;
using pmpd::onnx::NodeOp;

namespace pmpd {
#define GEN_PASS_DEF_LOWERONNXTOLINALG
#include "passes/Passes.h.inc"

namespace {
using Reduction = LinalgTensors::Reduction;

/// Lowers the graph in one function.
class GraphLowering {
public:
  /// `reported` keeps one report of a node that several functions share.
  GraphLowering(func::FuncOp func, llvm::StringSet<> &reported)
      : func(func), b(func.getLoc(), func.getContext()), reported(reported) {}

  LogicalResult run();

private:
  using Rule = Operand (GraphLowering::*)(NodeOp);
  static Rule getRule(NodeOp node);

  void markNeeded();
  void bindArguments();
  void lower(NodeOp node);
  void finish();

  /// Reports why `node` cannot be lowered. All such nodes are reported.
  Operand refuse(NodeOp node, const Twine &reason);
  /// Input `index` as a tensor; null after a report.
  Operand get(NodeOp node, unsigned index);
  /// The number in input `index`, if it is a constant of one element.
  std::optional<double> getNumber(NodeOp node, unsigned index);
  /// Which axes input 1 names; all of them without it.
  std::optional<SmallVector<bool>> getAxes(NodeOp node, int64_t rank);
  Dims getResultDims(NodeOp node) {
    return b.getDims(cast<RankedTensorType>(node.getResult(0).getType()));
  }
  /// LinalgTensors::map of all inputs, or a report.
  Operand mapInputs(NodeOp node, LinalgTensors::Scalar body);
  Operand map(NodeOp node, ArrayRef<Operand> operands,
              ArrayRef<AffineExpr> dims, LinalgTensors::Scalar body);
  Operand mean(const Operand &operand, ArrayRef<bool> axes);
  std::string print(ArrayRef<AffineExpr> dims) const;

  Operand lowerUnary(NodeOp node);
  Operand lowerBinary(NodeOp node);
  Operand lowerVariadic(NodeOp node);
  Operand lowerPow(NodeOp node);
  Operand lowerReduce(NodeOp node);
  Operand lowerSoftmax(NodeOp node);
  Operand lowerLayerNormalization(NodeOp node);
  Operand lowerMatMul(NodeOp node);
  Operand lowerGemm(NodeOp node);
  Operand lowerTranspose(NodeOp node);
  Operand lowerReshape(NodeOp node);
  Operand lowerIdentity(NodeOp node);
  Operand lowerExpand(NodeOp node);

  func::FuncOp func;
  LinalgTensors b;
  llvm::DenseMap<Value, Operand> values;
  llvm::DenseSet<Operation *> needed;
  llvm::StringSet<> &reported;
  bool refused = false;
};

GraphLowering::Rule GraphLowering::getRule(NodeOp node) {
  if (!node.getDomain().empty())
    return nullptr;
  return llvm::StringSwitch<Rule>(node.getOpType())
      .Cases({"Abs", "Erf", "Exp", "LeakyRelu", "Log", "Neg", "Reciprocal",
              "Relu", "Sigmoid", "Sqrt", "Tanh"},
             &GraphLowering::lowerUnary)
      .Cases({"Add", "Div", "Mul", "Sub"}, &GraphLowering::lowerBinary)
      .Cases({"Max", "Min", "Sum"}, &GraphLowering::lowerVariadic)
      .Case("Pow", &GraphLowering::lowerPow)
      .Cases({"ReduceMax", "ReduceMean", "ReduceMin", "ReduceSum"},
             &GraphLowering::lowerReduce)
      .Cases({"LogSoftmax", "Softmax"}, &GraphLowering::lowerSoftmax)
      .Case("LayerNormalization", &GraphLowering::lowerLayerNormalization)
      .Case("MatMul", &GraphLowering::lowerMatMul)
      .Case("Gemm", &GraphLowering::lowerGemm)
      .Case("Transpose", &GraphLowering::lowerTranspose)
      .Cases({"Flatten", "Reshape", "Squeeze", "Unsqueeze"},
             &GraphLowering::lowerReshape)
      .Cases({"Cast", "Dropout", "Identity"}, &GraphLowering::lowerIdentity)
      .Case("Expand", &GraphLowering::lowerExpand)
      .Default(nullptr);
}

/// Inputs that only say how: shapes and axes, which types already tell.
static bool isParameter(NodeOp node, unsigned index) {
  StringRef type = node.getOpType();
  return index > 0 && node.getDomain().empty() &&
         (type.starts_with("Reduce") ||
          llvm::is_contained(
              {"Reshape", "Squeeze", "Unsqueeze", "Expand", "Dropout", "Pow"},
              type));
}

void GraphLowering::markNeeded() {
  auto mark = [&](Value value) {
    if (auto node = value.getDefiningOp<NodeOp>())
      needed.insert(node);
  };
  for (Operation &op : llvm::reverse(func.front())) {
    if (isa<func::ReturnOp, UnrealizedConversionCastOp>(op))
      llvm::for_each(op.getOperands(), mark);
    else if (auto node = dyn_cast<NodeOp>(op); node && needed.contains(node))
      for (auto [index, input] : llvm::enumerate(node.getInputs()))
        if (!isParameter(node, index))
          mark(input);
  }
}

Operand GraphLowering::refuse(NodeOp node, const Twine &reason) {
  std::string text = ("cannot lower node '" + node.getNodeName() + "' (" +
                      node.getOpType() + "): " + reason)
                         .str();
  if (reported.insert(text).second)
    emitError(node.getLoc(), text);
  refused = true;
  return {};
}

/// `type` without symbolic dimensions.
static RankedTensorType getPlain(RankedTensorType type) {
  return RankedTensorType::get(type.getShape(), type.getElementType());
}

void GraphLowering::bindArguments() {
  b.setInsertionPointToStart(&func.front());
  for (BlockArgument argument : func.getArguments()) {
    auto type = dyn_cast<RankedTensorType>(argument.getType());
    if (!type || !type.getElementType().isF32())
      continue;
    argument.setType(getPlain(type));
    values[argument] = b.bind(argument, type);
  }
}

Operand GraphLowering::get(NodeOp node, unsigned index) {
  Value input = node.getInput(index);
  if (!input)
    return refuse(node, "expected input " + Twine(index) + " to be there");
  auto type = dyn_cast<RankedTensorType>(input.getType());
  if (auto found = values.find(input); found != values.end())
    return found->second;
  if (auto constant = input.getDefiningOp<onnx::ConstantOp>();
      constant && type.getElementType().isF32())
    return values[input] = b.bind(arith::ConstantOp::create(
                                      b, cast<TypedAttr>(constant.getValue())),
                                  type);
  if (auto initializer = input.getDefiningOp<onnx::InitializerOp>();
      initializer && type.getElementType().isF32())
    return refuse(node, "expected weight '" + initializer.getTensorName() +
                            "' to be an argument; run --pmpd-attach-scheduler");
  if (!type && input.getDefiningOp<NodeOp>())
    return {}; // what computes it was refused
  if (!type || !type.getElementType().isF32())
    return refuse(node, "expected input " + Twine(index) +
                            " to be a tensor of f32 of known rank; export the "
                            "network in float32");
  return {};
}

std::optional<double> GraphLowering::getNumber(NodeOp node, unsigned index) {
  auto constant = node.getInput(index)
                      ? node.getInput(index).getDefiningOp<onnx::ConstantOp>()
                      : onnx::ConstantOp();
  if (!constant || constant.getValue().getNumElements() != 1)
    return std::nullopt;
  return onnx::toTensor(cast<DenseElementsAttr>(constant.getValue())).at(0);
}

std::optional<SmallVector<bool>> GraphLowering::getAxes(NodeOp node,
                                                        int64_t rank) {
  Value input = node.getInput(1);
  if (!input)
    return SmallVector<bool>(rank, true);
  auto constant = input.getDefiningOp<onnx::ConstantOp>();
  auto elements =
      constant ? dyn_cast<DenseIntElementsAttr>(constant.getValue()) : nullptr;
  if (!elements)
    return std::nullopt;
  if (elements.getNumElements() == 0)
    return SmallVector<bool>(rank, !node.getInt("noop_with_empty_axes", 0));
  SmallVector<bool> axes(rank, false);
  for (const APInt &value : elements) {
    std::optional<int64_t> axis =
        onnx::normalizeAxis(value.getSExtValue(), rank);
    if (!axis)
      return std::nullopt;
    axes[*axis] = true;
  }
  return axes;
}

Operand GraphLowering::map(NodeOp node, ArrayRef<Operand> operands,
                           ArrayRef<AffineExpr> dims,
                           LinalgTensors::Scalar body) {
  if (!llvm::all_of(operands, [](const Operand &o) { return bool(o); }))
    return {};
  if (Operand result = b.map(operands, dims, body))
    return result;
  return refuse(node,
                "expected shapes that broadcast to that of the result, but "
                "got " +
                    llvm::join(llvm::map_range(operands,
                                               [&](const Operand &operand) {
                                                 return print(operand.dims);
                                               }),
                               " and "));
}

std::string GraphLowering::print(ArrayRef<AffineExpr> dims) const {
  auto texts =
      llvm::map_range(dims, [&](AffineExpr dim) { return b.print(dim); });
  return "[" + llvm::join(texts, ", ") + "]";
}

Operand GraphLowering::mapInputs(NodeOp node, LinalgTensors::Scalar body) {
  SmallVector<Operand> operands;
  for (unsigned i = 0; i < node.getInputs().size(); ++i)
    operands.push_back(get(node, i));
  return map(node, operands, getResultDims(node), body);
}

Operand GraphLowering::lowerUnary(NodeOp node) {
  StringRef type = node.getOpType();
  auto zero = [&] { return b.constant(0); };
  auto one = [&] { return b.constant(1); };
  return mapInputs(node, [&](ValueRange in) -> Value {
    Value x = in[0];
    if (type == "Abs")
      return math::AbsFOp::create(b, x);
    if (type == "Erf")
      return math::ErfOp::create(b, x);
    if (type == "Exp")
      return math::ExpOp::create(b, x);
    if (type == "LeakyRelu") {
      Value below =
          arith::MulFOp::create(b, x, b.constant(node.getFloat("alpha", 0.01)));
      Value positive =
          arith::CmpFOp::create(b, arith::CmpFPredicate::OGE, x, zero());
      return arith::SelectOp::create(b, positive, x, below);
    }
    if (type == "Log")
      return math::LogOp::create(b, x);
    if (type == "Neg")
      return arith::NegFOp::create(b, x);
    if (type == "Reciprocal")
      return arith::DivFOp::create(b, one(), x);
    if (type == "Relu")
      return arith::MaximumFOp::create(b, x, zero());
    if (type == "Sqrt")
      return math::SqrtOp::create(b, x);
    if (type == "Tanh")
      return math::TanhOp::create(b, x);
    assert(type == "Sigmoid");
    Value power = math::ExpOp::create(b, arith::NegFOp::create(b, x));
    return arith::DivFOp::create(b, one(),
                                 arith::AddFOp::create(b, one(), power));
  });
}

Operand GraphLowering::lowerBinary(NodeOp node) {
  StringRef type = node.getOpType();
  return mapInputs(node, [&](ValueRange in) -> Value {
    if (type == "Add")
      return arith::AddFOp::create(b, in[0], in[1]);
    if (type == "Div")
      return arith::DivFOp::create(b, in[0], in[1]);
    if (type == "Mul")
      return arith::MulFOp::create(b, in[0], in[1]);
    return arith::SubFOp::create(b, in[0], in[1]);
  });
}

Operand GraphLowering::lowerVariadic(NodeOp node) {
  StringRef type = node.getOpType();
  return mapInputs(node, [&](ValueRange in) -> Value {
    Value result = in[0];
    for (Value next : in.drop_front())
      result = type == "Max"
                   ? arith::MaximumFOp::create(b, result, next).getResult()
               : type == "Min"
                   ? arith::MinimumFOp::create(b, result, next).getResult()
                   : arith::AddFOp::create(b, result, next).getResult();
    return result;
  });
}

Operand GraphLowering::lowerPow(NodeOp node) {
  std::optional<double> exponent = getNumber(node, 1);
  if (!exponent || (*exponent != 2 && *exponent != 0.5))
    return refuse(node, "expected a constant exponent of 2 or 0.5");
  return map(node, get(node, 0), getResultDims(node), [&](ValueRange in) {
    return *exponent == 2 ? arith::MulFOp::create(b, in[0], in[0]).getResult()
                          : math::SqrtOp::create(b, in[0]).getResult();
  });
}

/// The dimensions whose axes are marked.
static Dims select(const Operand &operand, ArrayRef<bool> axes) {
  Dims dims;
  for (auto [dim, marked] : llvm::zip(operand.dims, axes))
    if (marked)
      dims.push_back(dim);
  return dims;
}

Operand GraphLowering::mean(const Operand &operand, ArrayRef<bool> axes) {
  Operand sum = b.reduceKeeping(operand, axes, Reduction::Sum);
  Value count = b.count(select(operand, axes));
  return b.map(sum, sum.dims, [&](ValueRange in) {
    return arith::DivFOp::create(b, in[0], count);
  });
}

Operand GraphLowering::lowerReduce(NodeOp node) {
  Operand x = get(node, 0);
  if (!x)
    return {};
  std::optional<SmallVector<bool>> axes = getAxes(node, x.rank());
  if (!axes)
    return refuse(node, "expected constant axes of the input");
  StringRef type = node.getOpType();
  Operand result =
      type == "ReduceMean"
          ? mean(x, *axes)
          : b.reduceKeeping(x, *axes,
                            type == "ReduceSum"   ? Reduction::Sum
                            : type == "ReduceMax" ? Reduction::Max
                                                  : Reduction::Min);
  return b.reshape(result, getResultDims(node));
}

Operand GraphLowering::lowerSoftmax(NodeOp node) {
  Operand x = get(node, 0);
  if (!x)
    return {};
  std::optional<int64_t> axis =
      onnx::normalizeAxis(node.getInt("axis", -1), x.rank());
  if (!axis)
    return refuse(node, "expected an axis of the input");
  SmallVector<bool> axes(x.rank(), false);
  axes[*axis] = true;
  Operand largest = b.reduceKeeping(x, axes, Reduction::Max);
  Operand shifted = b.map({x, largest}, x.dims, [&](ValueRange in) {
    return arith::SubFOp::create(b, in[0], in[1]);
  });
  Operand powers = b.map(shifted, x.dims, [&](ValueRange in) {
    return math::ExpOp::create(b, in[0]);
  });
  Operand sum = b.reduceKeeping(powers, axes, Reduction::Sum);
  if (node.getOpType() == "Softmax")
    return b.map({powers, sum}, x.dims, [&](ValueRange in) {
      return arith::DivFOp::create(b, in[0], in[1]);
    });
  return b.map({shifted, sum}, x.dims, [&](ValueRange in) {
    return arith::SubFOp::create(b, in[0], math::LogOp::create(b, in[1]));
  });
}

Operand GraphLowering::lowerLayerNormalization(NodeOp node) {
  Operand x = get(node, 0), scale = get(node, 1);
  bool hasBias = node.getInputs().size() > 2 && node.getInput(2);
  Operand bias = hasBias ? get(node, 2) : Operand();
  if (!x || !scale || (hasBias && !bias))
    return {};
  std::optional<int64_t> first =
      onnx::normalizeAxis(node.getInt("axis", -1), x.rank());
  if (!first)
    return refuse(node, "expected an axis of the input");
  SmallVector<bool> axes(x.rank(), false);
  std::fill(axes.begin() + *first, axes.end(), true);
  Operand average = mean(x, axes);
  Operand centered = b.map({x, average}, x.dims, [&](ValueRange in) {
    return arith::SubFOp::create(b, in[0], in[1]);
  });
  Operand variance = mean(b.map(centered, x.dims,
                                [&](ValueRange in) {
                                  return arith::MulFOp::create(b, in[0], in[0]);
                                }),
                          axes);
  Value epsilon = b.constant(node.getFloat("epsilon", 1e-5));
  Operand deviation = b.map(variance, variance.dims, [&](ValueRange in) {
    return math::SqrtOp::create(b, arith::AddFOp::create(b, in[0], epsilon));
  });
  SmallVector<Operand> operands = {centered, deviation, scale};
  if (hasBias)
    operands.push_back(bias);
  return map(node, operands, x.dims, [&](ValueRange in) -> Value {
    Value unit = arith::DivFOp::create(b, in[0], in[1]);
    Value scaled = arith::MulFOp::create(b, unit, in[2]);
    return hasBias ? arith::AddFOp::create(b, scaled, in[3]).getResult()
                   : scaled;
  });
}

Operand GraphLowering::lowerMatMul(NodeOp node) {
  Operand left = get(node, 0), right = get(node, 1);
  if (!left || !right)
    return {};
  Operand result = left.rank() < 2 || right.rank() < 2
                       ? Operand()
                       : b.multiply(left, right, getResultDims(node));
  return result ? result : refuse(node, "expected matrices that fit");
}

Operand GraphLowering::lowerGemm(NodeOp node) {
  Operand left = get(node, 0), right = get(node, 1);
  bool hasBias = node.getInputs().size() > 2 && node.getInput(2);
  Operand bias = hasBias ? get(node, 2) : Operand();
  if (!left || !right || (hasBias && !bias))
    return {};
  if (left.rank() != 2 || right.rank() != 2)
    return refuse(node, "expected matrices");
  if (node.getInt("transA", 0))
    left = b.transpose(left, {1, 0});
  if (node.getInt("transB", 0))
    right = b.transpose(right, {1, 0});
  Dims dims = getResultDims(node);
  Operand product = b.multiply(left, right, dims);
  if (!product)
    return refuse(node, "expected matrices that fit");
  double alpha = node.getFloat("alpha", 1), beta = node.getFloat("beta", 1);
  SmallVector<Operand> operands = {product};
  if (hasBias)
    operands.push_back(bias);
  return map(node, operands, dims, [&](ValueRange in) {
    Value sum = in[0];
    if (alpha != 1)
      sum = arith::MulFOp::create(b, sum, b.constant(alpha));
    if (!hasBias)
      return sum;
    Value added = in[1];
    if (beta != 1)
      added = arith::MulFOp::create(b, added, b.constant(beta));
    return arith::AddFOp::create(b, sum, added).getResult();
  });
}

Operand GraphLowering::lowerTranspose(NodeOp node) {
  Operand x = get(node, 0);
  if (!x)
    return {};
  SmallVector<int64_t> reversed(llvm::reverse(onnx::countUp(x.rank())));
  SmallVector<int64_t> order = node.getInts("perm").value_or(reversed);
  if (int64_t(order.size()) != x.rank() || !isPermutationVector(order))
    return refuse(node, "expected perm to order the axes of the input");
  return b.transpose(x, order);
}

Operand GraphLowering::lowerReshape(NodeOp node) {
  Operand x = get(node, 0);
  if (!x)
    return {};
  Operand result = b.reshape(x, getResultDims(node));
  return result ? result
                : refuse(node, "expected as many elements as in the input " +
                                   print(x.dims));
}

Operand GraphLowering::lowerIdentity(NodeOp node) {
  Value training = node.getInputs().size() > 2 ? node.getInput(2) : Value();
  if (training && getNumber(node, 2) != 0)
    return refuse(node, "expected a network for inference; export it with "
                        "training off");
  return get(node, 0);
}

Operand GraphLowering::lowerExpand(NodeOp node) {
  return map(node, get(node, 0), getResultDims(node),
             [](ValueRange in) { return in[0]; });
}

void GraphLowering::lower(NodeOp node) {
  b.setInsertionPoint(node);
  b.setLoc(node.getLoc());
  Rule rule = getRule(node);
  auto type = dyn_cast<RankedTensorType>(node.getResult(0).getType());
  if (!rule) {
    refuse(node, "the operator has no lowering");
    return;
  }
  bool more = llvm::any_of(node.getResults().drop_front(),
                           [](Value result) { return !result.use_empty(); });
  if (more) {
    refuse(node, "expected only its first output to be used");
  } else if (!type) {
    // Else it is only behind a node that is reported.
    if (llvm::all_of(node.getInputs(), [](Value input) {
          return !isa<UnrankedTensorType>(input.getType());
        }))
      refuse(node, "expected a result of known rank");
    refused = true;
  } else if (!type.getElementType().isF32())
    refuse(node, "expected a result of f32; export the network in float32");
  else if (!b.areKnown(getResultDims(node)))
    refuse(node, "expected a shape that follows from those of the inputs");
  else if (Operand result = (this->*rule)(node); !result)
    refused = true;
  else if (result.dims != getResultDims(node))
    refuse(node, "expected a result of " + print(getResultDims(node)) +
                     ", but it is " + print(result.dims));
  else
    values[node.getResult(0)] = result;
}

void GraphLowering::finish() {
  for (Operation &op : llvm::make_early_inc_range(func.front()))
    if (auto cast = dyn_cast<UnrealizedConversionCastOp>(op)) {
      Operand value = values.lookup(cast.getOperand(0));
      if (value)
        cast.getResult(0).replaceAllUsesWith(value.value);
    }
  Operation *last = func.front().getTerminator();
  for (OpOperand &operand : last->getOpOperands())
    if (Operand value = values.lookup(operand.get()))
      operand.set(value.value);
  func.setType(FunctionType::get(func.getContext(),
                                 func.front().getArgumentTypes(),
                                 last->getOperandTypes()));
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(func.front())))
    if ((isa<UnrealizedConversionCastOp>(op) ||
         isa<onnx::ONNXDialect>(op.getDialect())) &&
        op.use_empty())
      op.erase();
}

LogicalResult GraphLowering::run() {
  markNeeded();
  bindArguments();
  for (Operation &op : llvm::make_early_inc_range(func.front())) {
    if (auto cast = dyn_cast<UnrealizedConversionCastOp>(op)) {
      // Into the graph; those out of it are replaced at the end.
      b.setInsertionPointAfter(cast);
      Operation *from = cast.getOperand(0).getDefiningOp();
      if (!from || !isa<onnx::ONNXDialect>(from->getDialect()))
        values[cast.getResult(0)] =
            b.bind(cast.getOperand(0),
                   dyn_cast<RankedTensorType>(cast.getResult(0).getType()));
      else if (!isa<NodeOp>(from))
        return from->emitError("expected a result that a node computes");
    } else if (auto node = dyn_cast<NodeOp>(op)) {
      if (needed.contains(node))
        lower(node);
    }
  }
  if (refused)
    return failure();
  finish();
  return success();
}

struct LowerOnnxToLinalg : impl::LowerOnnxToLinalgBase<LowerOnnxToLinalg> {
  void getDependentDialects(DialectRegistry &registry) const override {
    LowerOnnxToLinalgBase::getDependentDialects(registry);
    // What is made here is bufferized next.
    arith::registerBufferizableOpInterfaceExternalModels(registry);
    linalg::registerBufferizableOpInterfaceExternalModels(registry);
    tensor::registerBufferizableOpInterfaceExternalModels(registry);
  }

  void runOnOperation() override {
    llvm::StringSet<> reported;
    bool refused = false;
    for (auto func : getOperation().getOps<func::FuncOp>())
      if (!func.isExternal() && !func.getOps<NodeOp>().empty())
        refused |= failed(GraphLowering(func, reported).run());
    if (refused)
      signalPassFailure();
  }
};
} // namespace
} // namespace pmpd
