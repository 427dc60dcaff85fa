// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Codegen/Activation.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;

namespace pmpd::codegen {
namespace {

/// `value` in every element of a type like that of `x`.
Value like(ImplicitLocOpBuilder &b, Value x, double value) {
  TypedAttr attribute = b.getF32FloatAttr(static_cast<float>(value));
  if (auto vector = dyn_cast<VectorType>(x.getType()))
    attribute = DenseElementsAttr::get(vector, attribute);
  return arith::ConstantOp::create(b, attribute);
}

/// x / (1 + exp(-u))
Value timesLogistic(ImplicitLocOpBuilder &b, Value x, Value u) {
  Value exp = math::ExpOp::create(b, arith::NegFOp::create(b, u));
  return arith::DivFOp::create(b, x,
                               arith::AddFOp::create(b, like(b, x, 1.0), exp));
}

} // namespace

Value emitActivation(ImplicitLocOpBuilder &b, ActivationKind kind, Value x) {
  auto times = [&](Value lhs, double rhs) -> Value {
    return arith::MulFOp::create(b, lhs, like(b, x, rhs));
  };
  switch (kind) {
  case ActivationKind::Silu:
    return timesLogistic(b, x, x);
  case ActivationKind::GeluTanh: {
    // 1 + tanh(u) = 2 / (1 + exp(-2u)), which loses no digits where tanh is
    // near -1.
    constexpr double sqrt2OverPi = 0.79788456080286535588;
    Value square = arith::MulFOp::create(b, x, x);
    Value inner =
        math::FmaOp::create(b, square, like(b, x, 2 * sqrt2OverPi * 0.044715),
                            like(b, x, 2 * sqrt2OverPi));
    return timesLogistic(b, x, arith::MulFOp::create(b, x, inner));
  }
  case ActivationKind::GeluErf: {
    // 1 + erf(u) = erfc(-u), for the same reason.
    constexpr double sqrtHalf = 0.70710678118654752440;
    Value erfc = math::ErfcOp::create(b, times(x, -sqrtHalf));
    return arith::MulFOp::create(b, times(x, 0.5), erfc);
  }
  case ActivationKind::Relu:
    return arith::MaximumFOp::create(b, x, like(b, x, 0.0));
  }
  llvm_unreachable("every kind is listed");
}

} // namespace pmpd::codegen
