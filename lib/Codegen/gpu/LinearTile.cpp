// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//   sum over the columns of a group of w * x
//     = sum (scale_w * code + min_w) * scale_x * (256 * high + low)
//     = scale_w * scale_x * (256 * C_high + C_low) + min_w * sum_x
//
// with exact C = sum code * high, sum code * low of integer tensor cores.
#include "lib/Codegen/gpu/LinearTile.h"
#include "lib/Codegen/gpu/Codes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace pmpd::codegen {

Values zeroSums(GpuKernelBuilder &b, int64_t tokens) {
  return Values(tokens / rowsPerMma * 2, b.real(0.0));
}

/// The scale and the minimum in a word.
static std::pair<Value, Value> paramsOf(GpuKernelBuilder &b, Value word) {
  Value halves =
      LLVM::BitcastOp::create(b, VectorType::get({2}, b.getF16Type()), word);
  auto element = [&](int64_t i) -> Value {
    Value half = vector::ExtractOp::create(b, halves, i);
    return arith::ExtFOp::create(b, b.getF32Type(), half);
  };
  return {element(0), element(1)};
}

/// C += A B of m16n8k32; `rows` are the codes of a lane's two rows.
static Values multiply(GpuKernelBuilder &b, ArrayRef<Values> rows,
                       const Values &bytes) {
  Values c(4, b.constant(0));
  auto result = LLVM::LLVMStructType::getLiteral(
      b.getContext(), SmallVector<Type>(4, b.getI32Type()));
  // Columns of the weight may come in any order that both operands have.
  for (unsigned j = 0; j < 8; j += 2) {
    Value product = NVVM::MmaOp::create(
        b, result,
        ValueRange{rows[0][j], rows[1][j], rows[0][j + 1], rows[1][j + 1]},
        ValueRange{bytes[j], bytes[j + 1]}, c, ArrayRef<int64_t>{16, 8, 32},
        /*b1Op=*/std::nullopt, NVVM::MMAIntOverflow::wrapped,
        std::array<NVVM::MMATypes, 2>{NVVM::MMATypes::u8, NVVM::MMATypes::s8},
        std::array<NVVM::MMALayout, 2>{NVVM::MMALayout::row,
                                       NVVM::MMALayout::col});
    for (int64_t i = 0; i < 4; ++i)
      c[i] = LLVM::ExtractValueOp::create(b, product, i);
  }
  return c;
}

Values addProducts(GpuKernelBuilder &b, const WeightWords &words, unsigned half,
                   ValueRange sums,
                   llvm::function_ref<ActivationWords(int64_t)> activations) {
  SmallVector<Values> rows;
  SmallVector<std::pair<Value, Value>> params;
  for (unsigned row = 0; row < 2; ++row) {
    Values planes;
    for (const Values &plane : words.planes)
      planes.push_back(plane[2 * half + row]);
    rows.push_back(unpackCodes(b, planes));
    params.push_back(paramsOf(b, words.params[2 * half + row]));
  }
  Values result(sums);
  for (size_t i = 0; i < sums.size() / 2; ++i) {
    ActivationWords x = activations(i);
    Values c = multiply(b, rows, x.bytes);
    for (unsigned row = 0; row < 2; ++row) {
      auto [scale, min] = params[row];
      Value dot = b.add(b.mul(c[2 * row], 256), c[2 * row + 1]);
      Value real = arith::SIToFPOp::create(b, b.getF32Type(), dot);
      Value &sum = result[2 * i + row];
      sum = b.fma(scale, arith::MulFOp::create(b, real, x.scale), sum);
      sum = b.fma(min, x.sum, sum);
    }
  }
  return result;
}

} // namespace pmpd::codegen
