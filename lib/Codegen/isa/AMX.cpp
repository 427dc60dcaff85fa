// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Codegen/isa/VNNI.h"

#include "mlir/Dialect/AMX/AMXDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace pmpd::codegen {
namespace {

/// Tiles multiply blocks of rows; single rows, which wait for memory, go the
/// way of AVX512VNNI. Lines of codes are rows of a tile as they are: 4 columns
/// of each of 16 weight rows.
struct AMX : AVX512VNNI {
  unsigned blockRows() const override { return tileRows; }
  unsigned blockPanels() const override { return 1; }
  Values blockDots(KernelBuilder &b, Value codes, Value input,
                   Value firstRow) const override {
    int64_t lines = cast<MemRefType>(codes.getType()).getDimSize(1);
    int64_t quads = lines % tileRows ? tileRows / 2 : tileRows;
    Type i8 = b.getI8Type();
    auto weights = amx::TileType::get({quads, 4 * tileRows}, i8);
    auto activations = amx::TileType::get({tileRows, 4 * quads}, i8);
    auto sums = amx::TileType::get({tileRows, tileRows}, b.getI32Type());
    Value sum = amx::TileZeroOp::create(b, sums);
    for (int64_t line = 0; line < lines; line += quads) {
      Value w = amx::TileLoadOp::create(
          b, weights, codes, ValueRange{b.index(0), b.index(line), b.index(0)});
      Value x = amx::TileLoadOp::create(
          b, activations, input, ValueRange{firstRow, b.index(4 * line)});
      sum = amx::TileMulIOp::create(b, sums, x, w, sum,
                                    /*isZextLhs=*/false, /*isZextRhs=*/true);
    }
    Value products = b.scratch({tileRows, tileRows}, b.getI32Type());
    amx::TileStoreOp::create(b, products, ValueRange{b.index(0), b.index(0)},
                             sum);
    Values rows;
    for (int64_t row = 0; row < tileRows; ++row)
      rows.push_back(vector::LoadOp::create(
          b, b.vectorOf(b.getI32Type(), tileRows), products,
          ValueRange{b.index(row), b.index(0)}));
    return rows;
  }

  static constexpr int64_t tileRows = 16;
};

} // namespace

const Isa &amxIsa() {
  static const AMX isa;
  return isa;
}

} // namespace pmpd::codegen
