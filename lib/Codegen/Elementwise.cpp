// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Codegen/Activation.h"
#include "lib/Codegen/CpuKernels.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;

namespace pmpd::codegen {
namespace {

/// output = combine(columns of every pointer but the last)
void emitElementwise(KernelBuilder &b, int64_t cols,
                     llvm::function_ref<Value(ArrayRef<Value>)> combine) {
  unsigned inputs = b.pointers() - 1;
  b.tasks([&](Value row) {
    b.columns(cols, [&](Value col, int64_t count) {
      Values values;
      for (unsigned i = 0; i < inputs; ++i)
        values.push_back(b.load(b.pointer(i), {row, col}, count, b.lanes()));
      b.store(combine(values), b.pointer(inputs), {row, col}, count);
    });
  });
}

} // namespace

Kernel CpuKernels::activate(int64_t cols, ActivationKind kind) {
  std::string name =
      llvm::formatv("activate_{0}_k{1}", stringifyActivationKind(kind), cols);
  return {get(name, {f32Rows(cols), f32Rows(cols)},
              [&](KernelBuilder &b) {
                emitElementwise(b, cols, [&](ArrayRef<Value> x) {
                  return emitActivation(b, kind, x[0]);
                });
              }),
          /*tasks=*/1, /*rowTile=*/1};
}

Kernel CpuKernels::add(int64_t cols) {
  std::string name = llvm::formatv("add_k{0}", cols);
  return {get(name, {f32Rows(cols), f32Rows(cols), f32Rows(cols)},
              [&](KernelBuilder &b) {
                emitElementwise(b, cols, [&](ArrayRef<Value> x) -> Value {
                  return arith::AddFOp::create(b, x[0], x[1]);
                });
              }),
          /*tasks=*/1, /*rowTile=*/1};
}

Kernel CpuKernels::mul(int64_t cols) {
  std::string name = llvm::formatv("mul_k{0}", cols);
  return {get(name, {f32Rows(cols), f32Rows(cols), f32Rows(cols)},
              [&](KernelBuilder &b) {
                emitElementwise(b, cols, [&](ArrayRef<Value> x) -> Value {
                  return arith::MulFOp::create(b, x[0], x[1]);
                });
              }),
          /*tasks=*/1, /*rowTile=*/1};
}

} // namespace pmpd::codegen
