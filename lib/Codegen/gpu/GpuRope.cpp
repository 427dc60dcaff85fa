// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Codegen/gpu/GpuKernels.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;

namespace pmpd::codegen {
namespace {

/// Threads take pairs that rotate, then columns that do not.
void emitRope(GpuKernelBuilder &b, const RopeShape &shape, Value row) {
  constexpr int64_t bytes = sizeof(float);
  Type f32 = b.getF32Type();
  int64_t n = shape.frequencies, kept = shape.headDim - 2 * n;
  Value rowBytes = b.mul(row, shape.heads * shape.headDim * bytes);
  Value input = b.at(b.pointer(0), rowBytes);
  Value output = b.at(b.pointer(2), rowBytes);
  Value angles =
      b.at(b.pointer(1), b.mul(b.add(b.position(), row), 2 * n * bytes));
  // Runs `body` with the first column of a head and i in [0, perHead).
  auto spread = [&](int64_t perHead,
                    llvm::function_ref<void(Value, Value)> body) {
    b.loop(b.thread(), b.constant(shape.heads * perHead),
           b.constant(b.threads()), [&](Value i) {
             body(b.mul(b.div(i, perHead), shape.headDim), b.rem(i, perHead));
           });
  };
  auto place = [&](Value pointer, Value col) {
    return b.at(pointer, b.mul(col, bytes));
  };
  bool halves = shape.style == RopeStyle::Half;
  spread(n, [&](Value head, Value i) {
    Value first = b.add(head, halves ? i : b.mul(i, 2));
    Value second = b.add(first, halves ? n : 1);
    Value x = b.load(f32, place(input, first));
    Value y = b.load(f32, place(input, second));
    Value cosine = b.load(f32, place(angles, i), 0, /*constant=*/true);
    Value sine = b.load(f32, place(angles, b.add(i, n)), 0, /*constant=*/true);
    Value negated = arith::NegFOp::create(b, sine);
    b.store(b.fma(y, negated, arith::MulFOp::create(b, x, cosine)),
            place(output, first));
    b.store(b.fma(x, sine, arith::MulFOp::create(b, y, cosine)),
            place(output, second));
  });
  if (kept)
    spread(kept, [&](Value head, Value i) {
      Value col = b.add(b.add(head, 2 * n), i);
      b.store(b.load(f32, place(input, col)), place(output, col));
    });
}

} // namespace

Kernel GpuKernels::rope(const RopeShape &shape) {
  std::string name =
      llvm::formatv("rope_{0}_h{1}_d{2}_n{3}", stringifyRopeStyle(shape.style),
                    shape.heads, shape.headDim, shape.frequencies);
  return byRows(name, 3, [&](GpuKernelBuilder &b, Value row) {
    emitRope(b, shape, row);
  });
}

} // namespace pmpd::codegen
