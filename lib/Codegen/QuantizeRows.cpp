// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Codegen/CpuKernels.h"
#include "lib/Codegen/RowFormat.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;

namespace pmpd::codegen {
namespace {

class QuantizeRowsEmitter {
public:
  QuantizeRowsEmitter(KernelBuilder &b, int64_t cols, unsigned bits,
                      int64_t group)
      : b(b), cols(cols), group(group), bits(bits), width(b.lanes()) {
    int64_t stride = bytesPerQuantizedRow(cols, bits, group);
    bytes = b.view(b.pointer(1), 0, {anyRows, stride}, b.getI8Type());
    floats = b.view(b.pointer(1), 0, {anyRows, stride / 4}, b.getF32Type());
  }

  void emit() {
    b.tasks([&](Value row) {
      b.loop(b.index(0), b.index(cols / group), 1,
             [&](Value g) { emitGroup(row, g); });
    });
  }

private:
  void emitGroup(Value row, Value g) {
    Value first = b.mul(g, group);
    Value end = b.add(first, group);
    Values max =
        b.loop(first, end, width, b.splat(0.0, width),
               [&](Value col, ValueRange max) -> Values {
                 Value x = b.load(b.pointer(0), {row, col}, width, width);
                 return {arith::MaxNumFOp::create(b, max[0],
                                                  math::AbsFOp::create(b, x))};
               });
    auto [scale, inverse] = scaleOf(b.maxOf(max[0]));
    Value factor = b.splat(inverse, width);
    Values sum =
        b.loop(first, end, width, b.splatInt(0, width),
               [&](Value col, ValueRange sum) -> Values {
                 Value x = b.load(b.pointer(0), {row, col}, width, width);
                 Value q = round(arith::MulFOp::create(b, x, factor));
                 storeIntegers(q, row, col);
                 return {arith::AddIOp::create(b, sum[0], q)};
               });
    Value total =
        vector::ReductionOp::create(b, vector::CombiningKind::ADD, sum[0]);
    Value realTotal = arith::SIToFPOp::create(b, b.getF32Type(), total);
    storeFloat(scale, row, g, quantizedRowScaleOffset(cols, bits));
    storeFloat(arith::MulFOp::create(b, scale, realTotal), row, g,
               quantizedRowSumOffset(cols, bits, group));
  }

  /// The scale of a group and its inverse, both zero where the largest
  /// magnitude is so small that they would leave the range of f32.
  std::pair<Value, Value> scaleOf(Value max) {
    auto constant = [&](double value) -> Value {
      return arith::ConstantOp::create(
          b, b.getF32FloatAttr(static_cast<float>(value)));
    };
    Value zero = constant(0);
    Value limit = constant(quantizedRowLimit(bits));
    Value usable = arith::CmpFOp::create(b, arith::CmpFPredicate::OGE, max,
                                         constant(0x1p-100));
    auto orZero = [&](Value value) -> Value {
      return arith::SelectOp::create(b, usable, value, zero);
    };
    return {orZero(arith::DivFOp::create(b, max, limit)),
            orZero(arith::DivFOp::create(b, limit, max))};
  }

  /// To the nearest integer, ties to even, of magnitudes below 2^22: after the
  /// sum the low bits of the significand are the integer.
  Value round(Value x) {
    VectorType ints = b.vectorOf(b.getI32Type(), width);
    constexpr double magic = 0x1.8p23;
    Value sum = arith::AddFOp::create(b, x, b.splat(magic, width));
    return arith::SubIOp::create(b, arith::BitcastOp::create(b, ints, sum),
                                 b.splatInt(0x4B400000, width));
  }

  void storeIntegers(Value q, Value row, Value col) {
    VectorType narrow = b.vectorOf(b.getI8Type(), width);
    auto storeByte = [&](Value value, Value at) {
      vector::StoreOp::create(b, arith::TruncIOp::create(b, narrow, value),
                              bytes, ValueRange{row, at});
    };
    if (bits == 8)
      return storeByte(q, col);
    // The low byte is signed, so the high one rounds.
    Value high = arith::ShRSIOp::create(
        b, arith::AddIOp::create(b, q, b.splatInt(128, width)),
        b.splatInt(8, width));
    storeByte(high, col);
    storeByte(q, b.add(col, cols));
  }

  void storeFloat(Value value, Value row, Value g, int64_t byteOffset) {
    memref::StoreOp::create(b, value, floats,
                            ValueRange{row, b.add(g, byteOffset / 4)});
  }

  KernelBuilder &b;
  int64_t cols, group;
  unsigned bits, width;
  Value bytes;  // i8 [rows, bytes of a row]
  Value floats; // the same as f32
};

} // namespace

Kernel CpuKernels::quantizeRows(int64_t cols, unsigned bits, int64_t group) {
  std::string name =
      llvm::formatv("quantize_rows_q{0}_k{1}_g{2}", bits, cols, group);
  return {get(name,
              {f32Rows(cols),
               bytes(anyRows * bytesPerQuantizedRow(cols, bits, group))},
              [&](KernelBuilder &b) {
                QuantizeRowsEmitter(b, cols, bits, group).emit();
              }),
          /*tasks=*/1, /*rowTile=*/1};
}

} // namespace pmpd::codegen
