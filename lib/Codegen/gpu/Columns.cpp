// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Codegen/gpu/Columns.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace pmpd::codegen {

Type Columns::piece(Type element) {
  return width == 1 ? element : Type(VectorType::get({width}, element));
}

Value Columns::row(Value matrix, Value row, Type element) {
  // A table of a large vocabulary has more bytes than an i32 counts.
  Value wide = arith::ExtUIOp::create(b, b.getI64Type(), row);
  Value bytes = arith::ConstantOp::create(
      b, b.getI64IntegerAttr(cols * bytesOf(element)));
  return b.at(matrix, arith::MulIOp::create(b, wide, bytes));
}

void Columns::each(llvm::function_ref<void(Value)> body) {
  b.loop(b.mul(b.thread(), width), b.constant(cols),
         b.constant(b.threads() * width), body);
}

Value Columns::sum(llvm::function_ref<Value(Value)> term) {
  Values total = b.loop(b.mul(b.thread(), width), b.constant(cols),
                        b.constant(b.threads() * width), splat(0.0),
                        [&](Value col, ValueRange sum) -> Values {
                          return {arith::AddFOp::create(b, sum[0], term(col))};
                        });
  Value own = total[0];
  if (width > 1)
    own = vector::ReductionOp::create(b, vector::CombiningKind::ADD, own);
  return b.sumOfBlock(own);
}

Value Columns::load(Type element, Value row, Value col, bool constant) {
  unsigned bytes = bytesOf(element);
  Value value = b.load(piece(element), b.at(row, b.mul(col, bytes)),
                       width * bytes, constant);
  return element.isF32()
             ? value
             : arith::ExtFOp::create(b, piece(b.getF32Type()), value);
}

void Columns::store(Value value, Type element, Value row, Value col) {
  unsigned bytes = bytesOf(element);
  if (!element.isF32())
    value = arith::TruncFOp::create(b, piece(element), value);
  b.store(value, b.at(row, b.mul(col, bytes)), width * bytes);
}

Value Columns::splat(Value scalar) {
  if (width == 1)
    return scalar;
  return vector::BroadcastOp::create(
      b, VectorType::get({width}, scalar.getType()), scalar);
}

} // namespace pmpd::codegen
