// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Linear kernels over unquantized weights, for compiles without quantization
// and for layers that keep their precision: a tile of 4 weight rows by up to 4
// activation rows, vectors along the columns.
#include "lib/Codegen/CpuKernels.h"
#include "lib/Codegen/Epilogue.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;

namespace pmpd::codegen {
namespace {

constexpr int64_t panelRows = 4;

class LinearDenseEmitter {
public:
  LinearDenseEmitter(KernelBuilder &b, const DenseLinear &shape)
      : b(b), shape(shape) {}

  void emit() {
    // As many sums as half of the registers hold.
    int64_t tile = b.lanes() == 16 ? 4 : 2;
    b.tasks([&](Value panel) {
      Value whole = b.mul(b.div(b.rows(), tile), tile);
      b.loop(b.index(0), whole, tile,
             [&](Value row) { emitTile(panel, row, tile); });
      b.loop(whole, b.rows(), 1, [&](Value row) { emitTile(panel, row, 1); });
    });
  }

private:
  void emitTile(Value panel, Value firstRow, unsigned count) {
    unsigned lanes = b.lanes();
    Values weightRows = rowsOf(panel);
    Values zeros(count * panelRows, b.splat(0.0, lanes));
    auto body = [&](Value col, int64_t width, ValueRange values) {
      Values sums(values);
      Values weights;
      for (Value n : weightRows)
        weights.push_back(b.load(b.pointer(0), {n, col}, width, lanes));
      for (unsigned row = 0; row < count; ++row) {
        Value x =
            b.load(b.pointer(1), {b.add(firstRow, row), col}, width, lanes);
        for (unsigned n = 0; n < panelRows; ++n) {
          Value &sum = sums[row * panelRows + n];
          sum = b.fma(weights[n], x, sum);
        }
      }
      return sums;
    };
    Values sums = b.columns(shape.cols, lanes, zeros, body);
    Values y;
    for (unsigned row = 0; row < count; ++row) {
      Values elements;
      for (unsigned n = 0; n < panelRows; ++n)
        elements.push_back(b.sumOf(sums[row * panelRows + n]));
      y.push_back(vector::FromElementsOp::create(
          b, b.vectorOf(b.getF32Type(), panelRows), elements));
    }
    storePanel(b, shape.rows, panelRows, panel, firstRow, y, count);
  }

  /// Rows past the weight's last repeat it; their results are not stored.
  Values rowsOf(Value panel) {
    Values result;
    Value last = b.index(shape.rows - 1);
    for (int64_t n = 0; n < panelRows; ++n) {
      Value row = b.add(b.mul(panel, panelRows), n);
      if (shape.rows % panelRows)
        row = arith::MinUIOp::create(b, row, last);
      result.push_back(row);
    }
    return result;
  }

  KernelBuilder &b;
  const DenseLinear &shape;
};

} // namespace

Kernel CpuKernels::linearDense(const DenseLinear &shape) {
  SmallVector<MemRefType> pointers = {
      MemRefType::get({shape.rows, shape.cols}, shape.weight),
      f32Rows(shape.cols), f32Rows(shape.rows)};
  if (shape.bias)
    pointers.push_back(MemRefType::get({shape.rows}, shape.bias));
  std::string name =
      llvm::formatv("linear_dense_{0}_n{1}_k{2}{3}", nameOf(shape.weight),
                    shape.rows, shape.cols, biasName(shape.bias));
  return {get(name, pointers,
              [&](KernelBuilder &b) { LinearDenseEmitter(b, shape).emit(); }),
          static_cast<int64_t>(llvm::divideCeil(shape.rows, panelRows)),
          /*rowTile=*/0};
}

} // namespace pmpd::codegen
