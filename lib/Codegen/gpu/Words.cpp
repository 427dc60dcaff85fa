// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Codegen/gpu/Words.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace pmpd::codegen {

Words::Words(GpuKernelBuilder &b)
    : b(b), wide(b.getI64Type()), warp(b.warp()), lane(b.lane()),
      exchanged(b.shared(warpSize * bytes)) {
  assert(b.threads() == threads);
}

Value Words::constant(int64_t value) {
  return arith::ConstantOp::create(b, b.getI64IntegerAttr(value));
}
Value Words::extend(Value i32) { return arith::ExtUIOp::create(b, wide, i32); }
Value Words::truncate(Value word) {
  return arith::TruncIOp::create(b, b.getI32Type(), word);
}
Value Words::add(Value lhs, Value rhs) {
  return arith::AddIOp::create(b, lhs, rhs);
}
Value Words::sub(Value lhs, Value rhs) {
  return arith::SubIOp::create(b, lhs, rhs);
}
Value Words::shiftLeft(Value word, int64_t bits) {
  return arith::ShLIOp::create(b, word, constant(bits));
}
Value Words::shiftRight(Value word, int64_t bits) {
  return arith::ShRUIOp::create(b, word, constant(bits));
}
Value Words::share(Value fraction, Value word) {
  return arith::MulUIExtendedOp::create(b, fraction, word).getHigh();
}
Value Words::orZero(Value condition, Value word) {
  return b.select(condition, word, constant(0));
}

Value Words::isBelow(Value lhs, Value rhs) {
  return arith::CmpIOp::create(b, arith::CmpIPredicate::ult, lhs, rhs);
}
Value Words::isAtMost(Value lhs, Value rhs) {
  return arith::CmpIOp::create(b, arith::CmpIPredicate::ule, lhs, rhs);
}
Value Words::isEqual(Value lhs, Value rhs) {
  return arith::CmpIOp::create(b, arith::CmpIPredicate::eq, lhs, rhs);
}

Value Words::reduce(Value i32, NVVM::ReduxKind kind) {
  return NVVM::ReduxOp::create(b, b.getI32Type(), i32, kind, b.constant(-1));
}

Value Words::minOfWarp(Value word) {
  Value high = truncate(shiftRight(word, 32)), low = truncate(word);
  Value least = reduce(high, NVVM::ReduxKind::UMIN);
  Value isLeast =
      arith::CmpIOp::create(b, arith::CmpIPredicate::eq, high, least);
  Value leastLow =
      reduce(b.select(isLeast, low, b.constant(-1)), NVVM::ReduxKind::UMIN);
  return add(shiftLeft(extend(least), 32), extend(leastLow));
}

/// By parts whose sums over a warp still have 32 bits.
Value Words::sumOfWarp(Value word) {
  constexpr int64_t bits = 27;
  Value sum = constant(0);
  for (int64_t at = 0; at < 64; at += bits) {
    Value part = b.bitAnd(truncate(shiftRight(word, at)), (1 << bits) - 1);
    Value ofWarp = extend(reduce(part, NVVM::ReduxKind::ADD));
    sum = add(sum, shiftLeft(ofWarp, at));
  }
  return sum;
}

Value Words::fromWarps(Value word) {
  b.when(b.equal(lane, 0),
         [&] { b.store(word, b.at(exchanged, b.mul(warp, bytes))); });
  b.barrier();
  return exchanged;
}

Value Words::ofWarps(Value word) {
  Value all = fromWarps(word);
  Value own = b.load(wide, b.at(all, b.mul(lane, bytes)));
  b.barrier(); // before the next ones are written
  return own;
}

Value Words::minOfBlock(Value word) {
  return minOfWarp(ofWarps(minOfWarp(word)));
}

Value Words::sumOfBlock(Value word) {
  return sumOfWarp(ofWarps(sumOfWarp(word)));
}

} // namespace pmpd::codegen
