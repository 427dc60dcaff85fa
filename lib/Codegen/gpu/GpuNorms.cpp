// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Codegen/gpu/Columns.h"
#include "lib/Codegen/gpu/GpuKernels.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;

namespace pmpd::codegen {
namespace {

Value product(GpuKernelBuilder &b, Value x, Value y) {
  return arith::MulFOp::create(b, x, y);
}

/// The mean over the columns of the pieces of `term`.
Value meanOf(GpuKernelBuilder &b, Columns &columns, int64_t cols,
             llvm::function_ref<Value(Value)> term) {
  return arith::DivFOp::create(b, columns.sum(term), b.real(cols));
}

/// 1 / sqrt(x + eps)
Value inverseRoot(GpuKernelBuilder &b, Value x, double eps) {
  Value root =
      math::SqrtOp::create(b, arith::AddFOp::create(b, x, b.real(eps)));
  return arith::DivFOp::create(b, b.real(1), root);
}

/// A warp for each head: they are short, and need no barrier.
void emitHeads(GpuKernelBuilder &b, Value row, int64_t heads, int64_t cols,
               Type weight, double eps) {
  constexpr int64_t bytes = sizeof(float), warp = 32;
  Type f32 = b.getF32Type();
  b.loop(b.warp(), b.constant(heads), b.constant(b.threads() / warp),
         [&](Value head) {
           Value start = b.mul(b.add(b.mul(row, heads), head), cols * bytes);
           Value input = b.at(b.pointer(0), start);
           Value output = b.at(b.pointer(2), start);
           auto load = [&](Value col) {
             return b.load(f32, b.at(input, b.mul(col, bytes)));
           };
           Values sum =
               b.loop(b.lane(), b.constant(cols), b.constant(warp), b.real(0),
                      [&](Value col, ValueRange sum) -> Values {
                        Value x = load(col);
                        return {b.fma(x, x, sum[0])};
                      });
           Value mean =
               arith::DivFOp::create(b, b.sumOfWarp(sum[0]), b.real(cols));
           Value factor = inverseRoot(b, mean, eps);
           b.loop(b.lane(), b.constant(cols), b.constant(warp), [&](Value col) {
             Value at = b.mul(col, weight.isF16() ? 2 : 4);
             Value w = b.loadReal(weight, b.at(b.pointer(1), at),
                                  /*constant=*/true);
             b.store(product(b, product(b, load(col), factor), w),
                     b.at(output, b.mul(col, bytes)));
           });
         });
}

} // namespace

Kernel GpuKernels::rmsNorm(int64_t heads, int64_t cols, Type weight,
                           double eps) {
  std::string name = rmsNormName(heads, cols, weight, eps);
  if (heads > 1)
    return byRows(name, 3, [&](GpuKernelBuilder &b, Value row) {
      emitHeads(b, row, heads, cols, weight, eps);
    });
  return byRows(name, 3, [&](GpuKernelBuilder &b, Value row) {
    Columns columns(b, cols);
    Type f32 = b.getF32Type();
    Value input = columns.row(b.pointer(0), row, f32);
    Value output = columns.row(b.pointer(2), row, f32);
    Value square = meanOf(b, columns, cols, [&](Value col) {
      Value x = columns.load(f32, input, col);
      return product(b, x, x);
    });
    Value factor = columns.splat(inverseRoot(b, square, eps));
    columns.each([&](Value col) {
      Value x = columns.load(f32, input, col);
      Value w = columns.load(weight, b.pointer(1), col, /*constant=*/true);
      columns.store(product(b, product(b, x, factor), w), f32, output, col);
    });
  });
}

Kernel GpuKernels::layerNorm(int64_t cols, Type weight, Type bias, double eps) {
  std::string name =
      llvm::formatv("layer_norm_{0}_k{1}_e{2}{3}", nameOf(weight), cols,
                    nameOf(eps), biasName(bias));
  return byRows(name, 4, [&](GpuKernelBuilder &b, Value row) {
    Columns columns(b, cols);
    Type f32 = b.getF32Type();
    Value input = columns.row(b.pointer(0), row, f32);
    Value output = columns.row(b.pointer(3), row, f32);
    Value mean = columns.splat(meanOf(b, columns, cols, [&](Value col) {
      return columns.load(f32, input, col);
    }));
    auto centered = [&](Value col) -> Value {
      return arith::SubFOp::create(b, columns.load(f32, input, col), mean);
    };
    Value variance = meanOf(b, columns, cols, [&](Value col) {
      Value c = centered(col);
      return product(b, c, c);
    });
    Value factor = columns.splat(inverseRoot(b, variance, eps));
    columns.each([&](Value col) {
      Value w = columns.load(weight, b.pointer(1), col, /*constant=*/true);
      Value shift = columns.load(bias, b.pointer(2), col, /*constant=*/true);
      Value unit = product(b, centered(col), factor);
      columns.store(b.fma(unit, w, shift), f32, output, col);
    });
  });
}

} // namespace pmpd::codegen
