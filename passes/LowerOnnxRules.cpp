// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What each operator is in linalg.
#include "lib/Import/ONNX/Elements.h"
#include "passes/LowerOnnx.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace pmpd;
using onnx::NodeOp;
using Reduction = LinalgTensors::Reduction;

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
