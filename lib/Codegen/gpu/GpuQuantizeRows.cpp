// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Codegen/RowFormat.h"
#include "lib/Codegen/gpu/GpuKernels.h"
#include "lib/Codegen/gpu/GpuRowFormat.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;

namespace pmpd::codegen {
namespace {

constexpr unsigned activationBits = 16;

/// A warp has a group, 128 columns at a time: lane l the columns 8 * i + l % 8
/// of run l / 8, which make one word of either part.
class QuantizeRowsEmitter {
public:
  QuantizeRowsEmitter(GpuKernelBuilder &b, Value row, int64_t cols,
                      int64_t group)
      : b(b), cols(cols), group(group),
        input(b.at(b.pointer(0), b.mul(row, cols * 4))),
        output(b.at(b.pointer(1), b.mul(row, bytesPerGpuRow(cols)))) {}

  void emit() {
    b.loop(b.warp(), b.constant(cols / group), b.constant(b.threads() / 32),
           [&](Value g) { emitGroup(g); });
    int64_t spans = cols / PMPD_GPU_GROUP_COLS;
    if (spans % 2)
      b.when(b.equal(b.warp(), 0), [&] {
        Value zero = b.constant(0), none = b.real(0);
        store(b.constant(spans), zero, zero, none, none);
      });
  }

private:
  void emitGroup(Value g) {
    int64_t spans = group / PMPD_GPU_GROUP_COLS;
    Value first = b.mul(g, spans), end = b.add(first, spans),
          one = b.constant(1);
    Values max =
        b.loop(first, end, one, ValueRange{b.real(0)},
               [&](Value span, ValueRange max) -> Values {
                 Value largest = max[0];
                 for (Value x : load(span))
                   largest = arith::MaxNumFOp::create(b, largest, magnitude(x));
                 return {largest};
               });
    std::pair<Value, Value> scale = scaleOf(b.maxOfWarp(max[0]));
    b.loop(first, end, one,
           [&](Value span) { emitSpan(span, scale.first, scale.second); });
  }

  void emitSpan(Value span, Value scale, Value inverse) {
    Value high = b.constant(0), low = high, sum = high;
    int64_t bit = 0;
    auto join = [&](Value word, Value byte) -> Value {
      return arith::OrIOp::create(b, word,
                                  b.shiftLeft(b.bitAnd(byte, 0xFF), bit));
    };
    for (Value x : load(span)) {
      Value q = round(arith::MulFOp::create(b, x, inverse));
      sum = b.add(sum, q);
      // The low byte is signed, so the high one rounds.
      high = join(high, b.shiftRight(b.add(q, 128), 8));
      low = join(low, q);
      bit += 8;
    }
    for (int64_t distance = 16; distance > 0; distance /= 2)
      sum = b.add(sum, b.exchange(sum, distance));
    Value real = arith::SIToFPOp::create(b, b.getF32Type(), sum);
    store(span, high, low, scale, arith::MulFOp::create(b, scale, real));
  }

  /// The lane's 4 columns of 128.
  Values load(Value span) {
    Value first = b.add(
        b.add(b.mul(span, PMPD_GPU_GROUP_COLS), b.mul(b.div(b.lane(), 8), 32)),
        b.rem(b.lane(), 8));
    Values x;
    for (int64_t i = 0; i < 4; ++i)
      x.push_back(b.load(b.getF32Type(),
                         b.at(b.at(input, b.mul(first, 4)), 8 * i * 4)));
    return x;
  }

  /// Without the sign: absolute values would become calls of libdevice.
  Value magnitude(Value x) {
    Value bits = arith::BitcastOp::create(b, b.getI32Type(), x);
    return arith::BitcastOp::create(b, b.getF32Type(),
                                    b.bitAnd(bits, INT32_MAX));
  }

  void store(Value span, Value high, Value low, Value scale, Value sum) {
    Value place = b.at(
        output, b.add(b.mul(span, PMPD_GPU_GROUP_COLS), b.mul(b.lane(), 4)));
    b.store(high, place);
    b.store(low, b.at(place, gpuRowPartBytes(cols)));
    b.when(b.equal(b.lane(), 0), [&] {
      Value params =
          b.at(b.at(output, gpuRowParamsOffset(cols)), b.mul(span, 8));
      b.store(scale, params);
      b.store(sum, b.at(params, 4));
    });
  }

  /// The scale of a group and its inverse, both zero where the largest
  /// magnitude is so small that they would leave the range of f32.
  std::pair<Value, Value> scaleOf(Value max) {
    Value limit = b.real(quantizedRowLimit(activationBits));
    Value usable = arith::CmpFOp::create(b, arith::CmpFPredicate::OGE, max,
                                         b.real(0x1p-100));
    auto orZero = [&](Value value) {
      return b.select(usable, value, b.real(0));
    };
    return {orZero(arith::DivFOp::create(b, max, limit)),
            orZero(arith::DivFOp::create(b, limit, max))};
  }

  /// To the nearest integer, ties to even, of magnitudes below 2^22: after the
  /// sum the low bits of the significand are the integer.
  Value round(Value x) {
    Value sum = arith::AddFOp::create(b, x, b.real(0x1.8p23));
    return b.sub(arith::BitcastOp::create(b, b.getI32Type(), sum),
                 b.constant(0x4B400000));
  }

  GpuKernelBuilder &b;
  int64_t cols, group;
  Value input, output; // of the row
};

} // namespace

Kernel GpuKernels::quantizeRows(int64_t cols, unsigned bits, int64_t group) {
  std::string name =
      llvm::formatv("quantize_rows_q{0}_k{1}_g{2}", bits, cols, group);
  return byRows(name, 2, [&](GpuKernelBuilder &b, Value row) {
    QuantizeRowsEmitter(b, row, cols, group).emit();
  });
}

} // namespace pmpd::codegen
