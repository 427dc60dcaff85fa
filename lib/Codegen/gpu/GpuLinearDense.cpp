// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Linear kernels over unquantized weights: a warp has a row of the weight and
// up to 4 activation rows.
#include "lib/Codegen/gpu/GpuEpilogue.h"
#include "lib/Codegen/gpu/GpuKernels.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;

namespace pmpd::codegen {
namespace {

constexpr int64_t warps = 8, tileRows = 4;

class LinearDenseEmitter {
public:
  LinearDenseEmitter(GpuKernelBuilder &b, const DenseLinear &shape)
      : b(b), shape(shape),
        elementBytes(shape.weight.getIntOrFloatBitWidth() / 8) {}

  void emit() {
    int64_t tasks = llvm::divideCeil(shape.rows, warps);
    Value n = b.add(b.mul(b.rem(b.block(), tasks), warps), b.warp());
    Value first = b.mul(b.div(b.block(), tasks), tileRows);
    Value lastRow = b.sub(b.rows(), b.constant(1));
    // Warps past the last row repeat it; their results are not stored.
    Value own = b.min(n, b.constant(shape.rows - 1));
    Values rows;
    for (int64_t i = 0; i < tileRows; ++i)
      rows.push_back(b.min(b.add(first, i), lastRow));
    Values sums = products(own, rows);
    for (int64_t i = 0; i < tileRows; ++i)
      sums[i] = b.sumOfWarp(sums[i]);
    Value writes = arith::AndIOp::create(b, b.less(n, b.constant(shape.rows)),
                                         b.equal(b.lane(), 0));
    b.when(writes, [&] {
      for (int64_t i = 0; i < tileRows; ++i) {
        Value row = b.add(first, i);
        b.when(b.less(row, b.rows()), [&] {
          storeElement(b, shape.rows, shape.bias, row, n, sums[i]);
        });
      }
    });
  }

private:
  /// The lane's share of the products of weight row `n` with some rows.
  Values products(Value n, const Values &rows) {
    // Lines of 16 bytes of the weight where all rows begin on one.
    int64_t width = 16 / elementBytes;
    if (shape.cols % width)
      width = 1;
    // 32 bits do not reach over a large vocabulary.
    Value wide = arith::ExtUIOp::create(b, b.getI64Type(), n);
    Value stride = arith::ConstantOp::create(
        b, b.getI64IntegerAttr(shape.cols * elementBytes));
    Value line = b.at(b.pointer(0), arith::MulIOp::create(b, wide, stride));
    Values inputs;
    for (Value row : rows)
      inputs.push_back(b.at(b.pointer(1), b.mul(row, shape.cols * 4)));
    return b.loop(
        b.mul(b.lane(), width), b.constant(shape.cols), b.constant(32 * width),
        Values(tileRows, b.real(0)), [&](Value col, ValueRange sums) {
          Values weights =
              load(shape.weight, width, b.at(line, b.mul(col, elementBytes)),
                   /*constant=*/true);
          Values next(sums);
          for (int64_t i = 0; i < tileRows; ++i)
            for (auto [w, x] :
                 llvm::zip(weights, load(b.getF32Type(), width,
                                         b.at(inputs[i], b.mul(col, 4)),
                                         /*constant=*/false)))
              next[i] = b.fma(w, x, next[i]);
          return next;
        });
  }

  /// `count` elements of f16 or f32 as f32. LLVM joins them to loads of 16
  /// bytes.
  Values load(Type element, int64_t count, Value pointer, bool constant) {
    int64_t bytes = element.getIntOrFloatBitWidth() / 8;
    Values values;
    for (int64_t i = 0; i < count; ++i) {
      bool begins = count > 1 && i * bytes % 16 == 0;
      Value value =
          b.load(element, b.at(pointer, i * bytes),
                 begins ? 16 : static_cast<unsigned>(bytes), constant);
      if (!element.isF32())
        value = arith::ExtFOp::create(b, b.getF32Type(), value);
      values.push_back(value);
    }
    return values;
  }

  GpuKernelBuilder &b;
  const DenseLinear &shape;
  int64_t elementBytes;
};

} // namespace

Kernel GpuKernels::linearDense(const DenseLinear &shape) {
  std::string name =
      llvm::formatv("linear_dense_{0}_n{1}_k{2}{3}", nameOf(shape.weight),
                    shape.rows, shape.cols, biasName(shape.bias));
  auto body = [&](GpuKernelBuilder &b) { LinearDenseEmitter(b, shape).emit(); };
  return {get(name, shape.bias ? 4 : 3, warps * 32, body),
          static_cast<int64_t>(llvm::divideCeil(shape.rows, warps)),
          shape.maxRows > tileRows ? tileRows : 0};
}

} // namespace pmpd::codegen
