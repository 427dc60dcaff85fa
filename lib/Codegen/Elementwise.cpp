// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Codegen/CpuKernels.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;

namespace pmpd::codegen {
namespace {

/// x / (1 + exp(-u))
Value timesLogistic(KernelBuilder &b, Value x, Value u) {
  Value exp = math::ExpOp::create(b, arith::NegFOp::create(b, u));
  Value one = b.splat(1.0, b.lanes());
  return arith::DivFOp::create(b, x, arith::AddFOp::create(b, one, exp));
}

Value emitActivation(KernelBuilder &b, ActivationKind kind, Value x) {
  auto times = [&](Value lhs, double rhs) -> Value {
    return arith::MulFOp::create(b, lhs, b.splat(rhs, b.lanes()));
  };
  switch (kind) {
  case ActivationKind::Silu:
    return timesLogistic(b, x, x);
  case ActivationKind::GeluTanh: {
    // 1 + tanh(u) = 2 / (1 + exp(-2u)), which loses no digits where tanh is
    // near -1.
    constexpr double sqrt2OverPi = 0.79788456080286535588;
    Value square = arith::MulFOp::create(b, x, x);
    Value inner = b.fma(square, b.splat(2 * sqrt2OverPi * 0.044715, b.lanes()),
                        b.splat(2 * sqrt2OverPi, b.lanes()));
    return timesLogistic(b, x, arith::MulFOp::create(b, x, inner));
  }
  case ActivationKind::GeluErf: {
    // 1 + erf(u) = erfc(-u), for the same reason.
    constexpr double sqrtHalf = 0.70710678118654752440;
    Value erfc = math::ErfcOp::create(b, times(x, -sqrtHalf));
    return arith::MulFOp::create(b, times(x, 0.5), erfc);
  }
  case ActivationKind::Relu:
    return arith::MaximumFOp::create(b, x, b.splat(0.0, b.lanes()));
  }
  llvm_unreachable("every kind is listed");
}

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
