// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Codegen/CpuKernels.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;

namespace pmpd::codegen {
namespace {

/// The mean of `term` over `cols` columns of a row from `first` on; it takes a
/// vector of `count` elements and zeros, and keeps the zeros.
Value meanOf(KernelBuilder &b, Value row, Value first, int64_t cols,
             llvm::function_ref<Value(Value, int64_t)> term) {
  Values sum =
      b.columns(cols, b.lanes(), b.splat(0.0, b.lanes()),
                [&](Value col, int64_t count, ValueRange sum) -> Values {
                  Value x = b.load(b.pointer(0), {row, b.add(first, col)},
                                   count, b.lanes());
                  return {arith::AddFOp::create(b, sum[0], term(x, count))};
                });
  Value divisor =
      arith::ConstantOp::create(b, b.getF32FloatAttr(static_cast<float>(cols)));
  return arith::DivFOp::create(b, b.sumOf(sum[0]), divisor);
}

/// 1 / sqrt(x + eps) in every lane.
Value inverseRoot(KernelBuilder &b, Value x, double eps) {
  auto constant = [&](double value) {
    return arith::ConstantOp::create(
        b, b.getF32FloatAttr(static_cast<float>(value)));
  };
  Value root =
      math::SqrtOp::create(b, arith::AddFOp::create(b, x, constant(eps)));
  return b.splat(arith::DivFOp::create(b, constant(1), root), b.lanes());
}

} // namespace

Kernel CpuKernels::rmsNorm(int64_t heads, int64_t cols, Type weight,
                           double eps) {
  auto body = [&](KernelBuilder &b) {
    auto normalize = [&](Value row, Value first) {
      Value square =
          meanOf(b, row, first, cols, [&](Value x, int64_t) -> Value {
            return arith::MulFOp::create(b, x, x);
          });
      Value factor = inverseRoot(b, square, eps);
      b.columns(cols, [&](Value col, int64_t count) {
        Value at = b.add(first, col);
        Value x = b.load(b.pointer(0), {row, at}, count, b.lanes());
        Value w = b.load(b.pointer(1), {col}, count, b.lanes());
        Value y =
            arith::MulFOp::create(b, arith::MulFOp::create(b, x, factor), w);
        b.store(y, b.pointer(2), {row, at}, count);
      });
    };
    b.tasks([&](Value row) {
      b.loop(b.index(0), b.index(heads), 1,
             [&](Value head) { normalize(row, b.mul(head, cols)); });
    });
  };
  int64_t width = heads * cols;
  return {get(rmsNormName(heads, cols, weight, eps),
              {f32Rows(width), MemRefType::get({cols}, weight), f32Rows(width)},
              body),
          /*tasks=*/1, /*rowTile=*/1};
}

Kernel CpuKernels::layerNorm(int64_t cols, Type weight, Type bias, double eps) {
  auto body = [&](KernelBuilder &b) {
    b.tasks([&](Value row) {
      Value first = b.index(0);
      Value mean = b.splat(
          meanOf(b, row, first, cols, [](Value x, int64_t) { return x; }),
          b.lanes());
      auto centered = [&](Value x) -> Value {
        return arith::SubFOp::create(b, x, mean);
      };
      Value variance = meanOf(b, row, first, cols, [&](Value x, int64_t count) {
        Value c = centered(x);
        Value square = arith::MulFOp::create(b, c, c);
        return b.pad(b.slice(square, 0, count), b.lanes());
      });
      Value factor = inverseRoot(b, variance, eps);
      b.columns(cols, [&](Value col, int64_t count) {
        Value x = b.load(b.pointer(0), {row, col}, count, b.lanes());
        Value w = b.load(b.pointer(1), {col}, count, b.lanes());
        Value shift = b.load(b.pointer(2), {col}, count, b.lanes());
        Value unit = arith::MulFOp::create(b, centered(x), factor);
        b.store(b.fma(unit, w, shift), b.pointer(3), {row, col}, count);
      });
    });
  };
  std::string name =
      llvm::formatv("layer_norm_{0}_k{1}_e{2}{3}", nameOf(weight), cols,
                    nameOf(eps), biasName(bias));
  return {get(name,
              {f32Rows(cols), MemRefType::get({cols}, weight),
               MemRefType::get({cols}, bias), f32Rows(cols)},
              body),
          /*tasks=*/1, /*rowTile=*/1};
}

} // namespace pmpd::codegen
