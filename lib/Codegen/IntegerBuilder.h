// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_LIB_CODEGEN_INTEGERBUILDER_H
#define PMPD_LIB_CODEGEN_INTEGERBUILDER_H

#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace pmpd::codegen {

using mlir::Type;
using mlir::Value;

/// Arithmetic of one type of integers, the index of a host or the i32 of a GPU.
/// None is negative, and the unsigned forms are cheaper.
class IntegerBuilder : public mlir::ImplicitLocOpBuilder {
public:
  IntegerBuilder(mlir::Location loc, Type integer)
      : ImplicitLocOpBuilder(loc, integer.getContext()), integer(integer) {}

  Value constant(int64_t value); ///< Of any sign.
  Value add(Value lhs, Value rhs);
  Value add(Value lhs, int64_t rhs);
  Value sub(Value lhs, Value rhs);
  Value mul(Value lhs, Value rhs);
  Value mul(Value lhs, int64_t rhs);
  Value div(Value lhs, int64_t rhs);
  Value rem(Value lhs, int64_t rhs);
  Value min(Value lhs, Value rhs);
  Value min(Value lhs, int64_t rhs);

private:
  Type integer;
};

} // namespace pmpd::codegen

#endif // PMPD_LIB_CODEGEN_INTEGERBUILDER_H
