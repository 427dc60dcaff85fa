// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Codegen/gpu/GpuKernels.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

#include <limits>

using namespace mlir;

namespace pmpd::codegen {
namespace {

/// A row may be long, and nothing else runs meanwhile.
constexpr int64_t argmaxThreads = 1024;

Value isBelow(GpuKernelBuilder &b, Value x, Value y) {
  return arith::CmpFOp::create(b, arith::CmpFPredicate::OLT, x, y);
}

void emitArgmax(GpuKernelBuilder &b, int64_t cols) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  constexpr int64_t bytes = sizeof(float);
  Type f32 = b.getF32Type();
  Value row = b.at(b.pointer(0), b.mul(b.block(), cols * bytes));
  // Columns as negative floats, so that the lowest is the maximum.
  Value none = b.real(-infinity);
  Values best = b.loop(
      b.thread(), b.constant(cols), b.constant(b.threads()),
      ValueRange{none, none}, [&](Value col, ValueRange best) -> Values {
        Value x = b.load(f32, b.at(row, b.mul(col, bytes)));
        // NaN is above nothing.
        Value isBetter = arith::AndIOp::create(b, isBelow(b, best[0], x),
                                               isBelow(b, x, b.real(infinity)));
        Value place =
            arith::NegFOp::create(b, arith::UIToFPOp::create(b, f32, col));
        return {b.select(isBetter, x, best[0]),
                b.select(isBetter, place, best[1])};
      });
  Value highest = b.maxOfBlock(best[0]);
  Value isHighest =
      arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, best[0], highest);
  Value place = b.maxOfBlock(b.select(isHighest, best[1], none));
  Value found = isBelow(b, none, place);
  // There is no column behind the last: what is not found is -1.
  Value index = arith::FPToSIOp::create(
      b, b.getI32Type(),
      b.select(found, arith::NegFOp::create(b, place), b.real(-1)));
  b.when(b.equal(b.thread(), 0), [&] {
    b.store(index, b.at(b.pointer(1), b.mul(b.block(), sizeof(int32_t))));
  });
}

} // namespace

llvm::Expected<Kernel> GpuKernels::argmax(int64_t cols) {
  constexpr int64_t most = 1 << 24; // exact as f32
  if (cols > most)
    return llvm::createStringError(
        "expected a vocabulary of at most " + std::to_string(most) +
        " tokens for a GPU, but got " + std::to_string(cols));
  return Kernel{get("argmax_k" + std::to_string(cols), 2, argmaxThreads,
                    [&](GpuKernelBuilder &b) { emitArgmax(b, cols); }),
                /*tasks=*/1, /*rowTile=*/1};
}

} // namespace pmpd::codegen
