// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Codegen/CpuKernels.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;

namespace pmpd::codegen {

Kernel CpuKernels::embed(int64_t cols, Type table, double scale) {
  auto body = [&](KernelBuilder &b) {
    b.tasks([&](Value row) {
      Value token = memref::LoadOp::create(b, b.pointer(0), row);
      Value entry = arith::IndexCastUIOp::create(b, b.getIndexType(), token);
      b.columns(cols, [&](Value col, int64_t count) {
        Value x = b.load(b.pointer(1), {entry, col}, count, b.lanes());
        if (scale != 1.0)
          x = arith::MulFOp::create(b, x, b.splat(scale, b.lanes()));
        b.store(x, b.pointer(2), {row, col}, count);
      });
    });
  };
  std::string name =
      llvm::formatv("embed_{0}_k{1}_s{2}", nameOf(table), cols, nameOf(scale));
  Type i32 = IntegerType::get(module.getContext(), 32);
  return {get(name,
              {MemRefType::get({anyRows}, i32),
               MemRefType::get({anyRows, cols}, table), f32Rows(cols)},
              body),
          /*tasks=*/1, /*rowTile=*/1};
}

Kernel CpuKernels::addPosition(int64_t cols, Type table, int64_t offset) {
  auto body = [&](KernelBuilder &b) {
    b.tasks([&](Value row) {
      Value entry = b.add(b.add(b.position(), row), offset);
      b.columns(cols, [&](Value col, int64_t count) {
        Value x = b.load(b.pointer(0), {row, col}, count, b.lanes());
        Value y = b.load(b.pointer(1), {entry, col}, count, b.lanes());
        b.store(arith::AddFOp::create(b, x, y), b.pointer(2), {row, col},
                count);
      });
    });
  };
  std::string name =
      llvm::formatv("add_position_{0}_k{1}_o{2}", nameOf(table), cols, offset);
  return {get(name,
              {f32Rows(cols), MemRefType::get({anyRows, cols}, table),
               f32Rows(cols)},
              body),
          /*tasks=*/1, /*rowTile=*/1};
}

} // namespace pmpd::codegen
