// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Codegen/gpu/GpuKernels.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace pmpd::codegen {

/// output[row, col] = f(lhs[row, col], rhs[row, col])
static void emitBinary(GpuKernelBuilder &b, Value row, int64_t cols,
                       llvm::function_ref<Value(Value, Value)> f) {
  Value bytes = b.mul(row, cols * sizeof(float));
  Value lhs = b.at(b.pointer(0), bytes), rhs = b.at(b.pointer(1), bytes),
        output = b.at(b.pointer(2), bytes);
  b.loop(b.thread(), b.constant(cols), b.constant(b.threads()),
         [&](Value col) {
           Value offset = b.mul(col, sizeof(float));
           Value x = b.load(b.getF32Type(), b.at(lhs, offset));
           Value y = b.load(b.getF32Type(), b.at(rhs, offset));
           b.store(f(x, y), b.at(output, offset));
         });
}

Kernel GpuKernels::add(int64_t cols) {
  return byRows("add_k" + std::to_string(cols), 3,
                [&](GpuKernelBuilder &b, Value row) {
                  emitBinary(b, row, cols, [&](Value x, Value y) -> Value {
                    return arith::AddFOp::create(b, x, y);
                  });
                });
}

Kernel GpuKernels::mul(int64_t cols) {
  return byRows("mul_k" + std::to_string(cols), 3,
                [&](GpuKernelBuilder &b, Value row) {
                  emitBinary(b, row, cols, [&](Value x, Value y) -> Value {
                    return arith::MulFOp::create(b, x, y);
                  });
                });
}

} // namespace pmpd::codegen
