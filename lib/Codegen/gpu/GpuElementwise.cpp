// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Codegen/Activation.h"
#include "lib/Codegen/gpu/Columns.h"
#include "lib/Codegen/gpu/GpuKernels.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;

namespace pmpd::codegen {
namespace {

/// output[row, col] = combine(inputs[row, col] ...); the output comes last.
void emitElementwise(GpuKernelBuilder &b, Value row, int64_t cols,
                     unsigned inputs,
                     llvm::function_ref<Value(ArrayRef<Value>)> combine) {
  Columns columns(b, cols);
  Type f32 = b.getF32Type();
  Values rows;
  for (unsigned i = 0; i <= inputs; ++i)
    rows.push_back(columns.row(b.pointer(i), row, f32));
  columns.each([&](Value col) {
    Values values;
    for (unsigned i = 0; i < inputs; ++i)
      values.push_back(columns.load(f32, rows[i], col));
    columns.store(combine(values), f32, rows[inputs], col);
  });
}

} // namespace

Kernel GpuKernels::activate(int64_t cols, ActivationKind kind) {
  std::string name =
      llvm::formatv("activate_{0}_k{1}", stringifyActivationKind(kind), cols);
  return byRows(name, 2, [&](GpuKernelBuilder &b, Value row) {
    emitElementwise(b, row, cols, 1, [&](ArrayRef<Value> x) {
      return emitActivation(b, kind, x[0]);
    });
  });
}

Kernel GpuKernels::add(int64_t cols) {
  return byRows(
      "add_k" + std::to_string(cols), 3, [&](GpuKernelBuilder &b, Value row) {
        emitElementwise(b, row, cols, 2, [&](ArrayRef<Value> x) -> Value {
          return arith::AddFOp::create(b, x[0], x[1]);
        });
      });
}

Kernel GpuKernels::mul(int64_t cols) {
  return byRows(
      "mul_k" + std::to_string(cols), 3, [&](GpuKernelBuilder &b, Value row) {
        emitElementwise(b, row, cols, 2, [&](ArrayRef<Value> x) -> Value {
          return arith::MulFOp::create(b, x[0], x[1]);
        });
      });
}

} // namespace pmpd::codegen
