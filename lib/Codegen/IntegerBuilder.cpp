// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Codegen/IntegerBuilder.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace pmpd::codegen {

Value IntegerBuilder::constant(int64_t value) {
  unsigned width = integer.isIndex() ? IndexType::kInternalStorageBitWidth
                                     : integer.getIntOrFloatBitWidth();
  return arith::ConstantOp::create(
      *this, IntegerAttr::get(integer, APInt(width, value, /*isSigned=*/false,
                                             /*implicitTrunc=*/true)));
}
Value IntegerBuilder::add(Value lhs, Value rhs) {
  return createOrFold<arith::AddIOp>(lhs, rhs);
}
Value IntegerBuilder::add(Value lhs, int64_t rhs) {
  return rhs ? add(lhs, constant(rhs)) : lhs;
}
Value IntegerBuilder::sub(Value lhs, Value rhs) {
  return createOrFold<arith::SubIOp>(lhs, rhs);
}
Value IntegerBuilder::mul(Value lhs, Value rhs) {
  return createOrFold<arith::MulIOp>(lhs, rhs);
}
Value IntegerBuilder::mul(Value lhs, int64_t rhs) {
  return mul(lhs, constant(rhs));
}
Value IntegerBuilder::div(Value lhs, int64_t rhs) {
  return createOrFold<arith::DivUIOp>(lhs, constant(rhs));
}
Value IntegerBuilder::rem(Value lhs, int64_t rhs) {
  return createOrFold<arith::RemUIOp>(lhs, constant(rhs));
}
Value IntegerBuilder::min(Value lhs, Value rhs) {
  return createOrFold<arith::MinUIOp>(lhs, rhs);
}
Value IntegerBuilder::min(Value lhs, int64_t rhs) {
  return min(lhs, constant(rhs));
}

} // namespace pmpd::codegen
