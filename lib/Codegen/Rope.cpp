// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Codegen/CpuKernels.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;

namespace pmpd::codegen {
namespace {

class RopeEmitter {
public:
  RopeEmitter(KernelBuilder &b, const RopeShape &shape) : b(b), shape(shape) {}

  void emit() {
    int64_t n = shape.frequencies;
    b.tasks([&](Value row) {
      Value position = b.add(b.position(), row);
      b.loop(b.index(0), b.index(shape.heads), 1, [&](Value head) {
        Value first = b.mul(head, shape.headDim);
        b.columns(n, [&](Value i, int64_t count) {
          Value cosine = b.load(b.pointer(1), {position, i}, count, b.lanes());
          Value sine =
              b.load(b.pointer(1), {position, b.add(i, n)}, count, b.lanes());
          if (shape.style == RopeStyle::Half)
            rotateHalves(row, b.add(first, i), count, cosine, sine);
          else
            rotatePairs(row, b.add(first, b.mul(i, 2)), count, cosine, sine);
        });
        b.columns(shape.headDim - 2 * n, [&](Value i, int64_t count) {
          Value col = b.add(b.add(first, 2 * n), i);
          b.store(loadInput(row, col, count), b.pointer(2), {row, col}, count);
        });
      });
    });
  }

private:
  Value loadInput(Value row, Value col, int64_t count) {
    return b.load(b.pointer(0), {row, col}, count, b.lanes());
  }

  /// (x c - y s, y c + x s)
  std::pair<Value, Value> rotate(Value x, Value y, Value cosine, Value sine) {
    Value negated = arith::NegFOp::create(b, sine);
    return {b.fma(y, negated, arith::MulFOp::create(b, x, cosine)),
            b.fma(x, sine, arith::MulFOp::create(b, y, cosine))};
  }

  void rotateHalves(Value row, Value col, int64_t count, Value cosine,
                    Value sine) {
    Value partner = b.add(col, shape.frequencies);
    auto [x, y] = rotate(loadInput(row, col, count),
                         loadInput(row, partner, count), cosine, sine);
    b.store(x, b.pointer(2), {row, col}, count);
    b.store(y, b.pointer(2), {row, partner}, count);
  }

  void rotatePairs(Value row, Value col, int64_t count, Value cosine,
                   Value sine) {
    Value pairs = b.load(b.pointer(0), {row, col}, 2 * count, 2 * b.lanes());
    auto split = vector::DeinterleaveOp::create(b, pairs);
    auto [x, y] = rotate(split.getRes1(), split.getRes2(), cosine, sine);
    b.store(vector::InterleaveOp::create(b, x, y), b.pointer(2), {row, col},
            2 * count);
  }

  KernelBuilder &b;
  const RopeShape &shape;
};

} // namespace

Kernel CpuKernels::rope(const RopeShape &shape) {
  int64_t cols = shape.heads * shape.headDim;
  std::string name =
      llvm::formatv("rope_{0}_h{1}_d{2}_n{3}", stringifyRopeStyle(shape.style),
                    shape.heads, shape.headDim, shape.frequencies);
  return {get(name,
              {f32Rows(cols), f32Rows(2 * shape.frequencies), f32Rows(cols)},
              [&](KernelBuilder &b) { RopeEmitter(b, shape).emit(); }),
          /*tasks=*/1, /*rowTile=*/1};
}

} // namespace pmpd::codegen
