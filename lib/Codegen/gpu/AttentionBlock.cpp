// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Codegen/gpu/AttentionBlock.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;

namespace pmpd::codegen {

Value add(GpuKernelBuilder &b, Value x, Value y) {
  return arith::AddFOp::create(b, x, y);
}
Value mul(GpuKernelBuilder &b, Value x, Value y) {
  return arith::MulFOp::create(b, x, y);
}
Value max(GpuKernelBuilder &b, Value x, Value y) {
  return arith::MaxNumFOp::create(b, x, y);
}
Value exp2OfDifference(GpuKernelBuilder &b, Value x, Value y) {
  return math::Exp2Op::create(b, arith::SubFOp::create(b, x, y));
}

AttentionQueries::AttentionQueries(const AttentionShape &shape, int64_t budget)
    : shared(shape.heads / shape.cache.heads) {
  heads = std::min(shared, budget);
  while (shared % heads)
    --heads;
  rows = std::max<int64_t>(1, std::min(budget / heads, shape.maxRows));
}

void AttentionBlock::placeHeads(Value headGroup) {
  firstHead = b.mul(headGroup, queries.heads);
  Value cacheHead = b.div(firstHead, queries.shared);
  keys = cacheRow(b.pointer(1), b.mul(cacheHead, shape.cache.context));
}

Value AttentionBlock::beginOf(Value rowEnd) {
  if (!shape.window)
    return b.constant(0);
  return b.sub(rowEnd, b.min(rowEnd, b.constant(*shape.window)));
}

Value AttentionBlock::queryOffset(Value row, Value head, Value col) {
  Value first = b.mul(b.add(firstHead, head), headDim);
  return b.mul(b.add(b.add(b.mul(row, shape.heads * headDim), first), col),
               sizeof(float));
}

Value AttentionBlock::scoreFactor() {
  return b.real(shape.scale * 1.44269504088896340736);
}

int64_t AttentionBlock::rowBytes() {
  return headDim * (shape.cache.element.isF16() ? 2 : 4);
}
int64_t AttentionBlock::valuesOffset() {
  return shape.cache.heads * shape.cache.context * rowBytes();
}

Value AttentionBlock::cacheRow(Value base, Value row) {
  Value wide = arith::ExtUIOp::create(b, b.getI64Type(), row);
  Value bytes = arith::ConstantOp::create(b, b.getI64IntegerAttr(rowBytes()));
  return b.at(base, arith::MulIOp::create(b, wide, bytes));
}

} // namespace pmpd::codegen
