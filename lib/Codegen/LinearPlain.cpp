// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The readable reference of LinearS.cpp: one weight at a time.
#include "lib/Codegen/CpuKernels.h"

#include "pmpd/layout.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;

namespace pmpd::codegen {
namespace {

/// scale * (code >> (parentBits - bits)) + min
Value dequantize(KernelBuilder &b, const NestedLinear &shape, Value code,
                 Value scale, Value min) {
  Value prefix = arith::ShRUIOp::create(
      b, code,
      arith::ConstantOp::create(
          b, b.getI8IntegerAttr(shape.parentBits - shape.bits)));
  Value real = arith::UIToFPOp::create(b, b.getF32Type(), prefix);
  return arith::AddFOp::create(b, arith::MulFOp::create(b, scale, real), min);
}

void emitLinearPlain(KernelBuilder &b, const NestedLinear &shape) {
  Value codes =
      b.view(b.pointer(0), 0, {shape.rows, shape.cols}, b.getI8Type());
  Value params =
      b.view(b.pointer(0),
             pmpd_plain_params_offset(shape.rows, shape.cols, shape.group,
                                      shape.prefixIndex),
             {shape.rows, shape.cols / shape.group, 2}, b.getF16Type());
  Value input = b.pointer(1);
  Value output = b.pointer(2);
  b.tasks([&](Value n) {
    b.loop(b.index(0), b.rows(), 1, [&](Value t) {
      Value init = arith::ConstantOp::create(b, b.getF32FloatAttr(0));
      if (shape.bias)
        init = b.loadScalar(b.pointer(3), {n});
      Values y =
          b.loop(b.index(0), b.index(shape.cols / shape.group), 1, init,
                 [&](Value g, ValueRange sum) {
                   Value scale = b.loadScalar(params, {n, g, b.index(0)});
                   Value min = b.loadScalar(params, {n, g, b.index(1)});
                   Value first = b.mul(g, shape.group);
                   return b.loop(
                       first, b.add(first, shape.group), 1, sum,
                       [&](Value k, ValueRange sum) -> Values {
                         Value code =
                             memref::LoadOp::create(b, codes, ValueRange{n, k});
                         Value weight = dequantize(b, shape, code, scale, min);
                         Value x = b.loadScalar(input, {t, k});
                         return {arith::AddFOp::create(
                             b, sum[0], arith::MulFOp::create(b, weight, x))};
                       });
                 });
      memref::StoreOp::create(b, y[0], output, ValueRange{t, n});
    });
  });
}

} // namespace

Kernel CpuKernels::linearPlain(const NestedLinear &shape) {
  SmallVector<MemRefType> pointers = {
      bytes(pmpd_plain_params_offset(shape.rows, shape.cols, shape.group,
                                     shape.prefixIndex + 1)),
      f32Rows(shape.cols), f32Rows(shape.rows)};
  if (shape.bias)
    pointers.push_back(MemRefType::get({shape.rows}, shape.bias));
  std::string name =
      llvm::formatv("linear_plain_b{0}of{1}p{2}_n{3}_k{4}_g{5}{6}", shape.bits,
                    shape.parentBits, shape.prefixIndex, shape.rows, shape.cols,
                    shape.group, biasName(shape.bias));
  return {
      get(name, pointers, [&](KernelBuilder &b) { emitLinearPlain(b, shape); }),
      shape.rows, /*rowTile=*/0};
}

} // namespace pmpd::codegen
