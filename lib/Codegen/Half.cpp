// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Conversions between f16 and f32. Where the target lacks them, LLVM would call
// a library, one element at a time; integer arithmetic on whole vectors gives
// the same values.
#include "lib/Codegen/KernelBuilder.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace pmpd::codegen {

Value KernelBuilder::halfToFloat(Value vector) {
  unsigned width = cast<VectorType>(vector.getType()).getNumElements();
  VectorType floats = vectorOf(getF32Type(), width);
  if (machine.nativeHalf)
    return arith::ExtFOp::create(*this, floats, vector);
  VectorType ints = vectorOf(getI32Type(), width);
  auto constant = [&](int32_t value) { return splatInt(value, width); };
  Value half = arith::ExtUIOp::create(
      *this, ints,
      arith::BitcastOp::create(*this, vectorOf(getI16Type(), width), vector));
  Value sign = arith::ShLIOp::create(
      *this, arith::AndIOp::create(*this, half, constant(0x8000)),
      constant(16));
  Value magnitude = arith::ShLIOp::create(
      *this, arith::AndIOp::create(*this, half, constant(0x7FFF)),
      constant(13));
  // The product moves the exponent's bias and normalizes subnormals.
  Value finite = arith::BitcastOp::create(
      *this, ints,
      arith::MulFOp::create(*this,
                            arith::BitcastOp::create(*this, floats, magnitude),
                            splat(0x1p112, width)));
  Value special = arith::OrIOp::create(*this, magnitude, constant(0x7F800000));
  Value isSpecial = arith::CmpIOp::create(*this, arith::CmpIPredicate::sge,
                                          magnitude, constant(0x0F800000));
  Value bits = arith::OrIOp::create(
      *this, sign, arith::SelectOp::create(*this, isSpecial, special, finite));
  return arith::BitcastOp::create(*this, floats, bits);
}

Value KernelBuilder::floatToHalf(Value vector) {
  unsigned width = cast<VectorType>(vector.getType()).getNumElements();
  VectorType halves = vectorOf(getF16Type(), width);
  if (machine.nativeHalf)
    return arith::TruncFOp::create(*this, halves, vector);
  VectorType ints = vectorOf(getI32Type(), width);
  VectorType floats = vectorOf(getF32Type(), width);
  auto constant = [&](int32_t value) { return splatInt(value, width); };
  auto compare = [&](arith::CmpIPredicate predicate, Value lhs, int32_t rhs) {
    return arith::CmpIOp::create(*this, predicate, lhs, constant(rhs));
  };
  Value bits = arith::BitcastOp::create(*this, ints, vector);
  Value sign = arith::ShRUIOp::create(
      *this, arith::AndIOp::create(*this, bits, constant(INT32_MIN)),
      constant(16));
  Value magnitude = arith::AndIOp::create(*this, bits, constant(INT32_MAX));
  // Round to even at bit 13; a carry into the exponent is the right result, up
  // to infinity.
  Value odd = arith::AndIOp::create(
      *this, arith::ShRUIOp::create(*this, magnitude, constant(13)),
      constant(1));
  Value rounded = arith::AddIOp::create(
      *this, magnitude,
      arith::AddIOp::create(*this, odd, constant(0x0FFF - 0x38000000)));
  Value normal = arith::ShRUIOp::create(*this, rounded, constant(13));
  // Adding 0.5 rounds at 2^-24, the unit of a subnormal half.
  Value subnormal = arith::SubIOp::create(
      *this,
      arith::BitcastOp::create(
          *this, ints,
          arith::AddFOp::create(
              *this, arith::BitcastOp::create(*this, floats, magnitude),
              splat(0.5, width))),
      constant(0x3F000000));
  Value result = arith::SelectOp::create(
      *this, compare(arith::CmpIPredicate::slt, magnitude, 0x38800000),
      subnormal, normal);
  result = arith::SelectOp::create(
      *this, compare(arith::CmpIPredicate::sge, magnitude, 0x47800000),
      constant(0x7C00), result);
  result = arith::SelectOp::create(
      *this, compare(arith::CmpIPredicate::sgt, magnitude, 0x7F800000),
      constant(0x7E00), result);
  result = arith::OrIOp::create(*this, sign, result);
  return arith::BitcastOp::create(
      *this, halves,
      arith::TruncIOp::create(*this, vectorOf(getI16Type(), width), result));
}

} // namespace pmpd::codegen
