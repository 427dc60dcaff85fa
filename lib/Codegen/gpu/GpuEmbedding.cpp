// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Codegen/gpu/Columns.h"
#include "lib/Codegen/gpu/GpuKernels.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;

namespace pmpd::codegen {

Kernel GpuKernels::embed(int64_t cols, Type table, double scale) {
  std::string name =
      llvm::formatv("embed_{0}_k{1}_s{2}", nameOf(table), cols, nameOf(scale));
  return byRows(name, 3, [&](GpuKernelBuilder &b, Value row) {
    Columns columns(b, cols);
    Value token =
        b.load(b.getI32Type(), b.at(b.pointer(0), b.mul(row, sizeof(int32_t))));
    Value entry = columns.row(b.pointer(1), token, table);
    Value output = columns.row(b.pointer(2), row, b.getF32Type());
    columns.each([&](Value col) {
      Value x = columns.load(table, entry, col, /*constant=*/true);
      if (scale != 1.0)
        x = arith::MulFOp::create(b, x, columns.splat(scale));
      columns.store(x, b.getF32Type(), output, col);
    });
  });
}

Kernel GpuKernels::addPosition(int64_t cols, Type table, int64_t offset) {
  std::string name =
      llvm::formatv("add_position_{0}_k{1}_o{2}", nameOf(table), cols, offset);
  return byRows(name, 3, [&](GpuKernelBuilder &b, Value row) {
    Columns columns(b, cols);
    Type f32 = b.getF32Type();
    Value input = columns.row(b.pointer(0), row, f32);
    Value entry = columns.row(b.pointer(1),
                              b.add(b.add(b.position(), row), offset), table);
    Value output = columns.row(b.pointer(2), row, f32);
    columns.each([&](Value col) {
      Value x = columns.load(f32, input, col);
      Value y = columns.load(table, entry, col, /*constant=*/true);
      columns.store(arith::AddFOp::create(b, x, y), f32, output, col);
    });
  });
}

} // namespace pmpd::codegen
