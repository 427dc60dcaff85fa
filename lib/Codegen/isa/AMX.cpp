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
  bool storesDots() const override { return true; }

  /// All tiles of the codes, unless that leaves none for anything else.
  Values loadCodes(KernelBuilder &b, Value codes) const override {
    Values tiles;
    int64_t count = tilesOf(codes);
    for (int64_t i = 0; i < count && count <= 4; ++i)
      tiles.push_back(loadTile(b, codes, i));
    return tiles;
  }

  void storeDots(KernelBuilder &b, Value codes, ValueRange loaded, Value input,
                 Value firstRow, Value dots, Value to) const override {
    int64_t quads = quadsOf(codes);
    auto activations = amx::TileType::get({tileRows, 4 * quads}, b.getI8Type());
    auto sums = amx::TileType::get({tileRows, tileRows}, b.getI32Type());
    Value sum = amx::TileZeroOp::create(b, sums);
    for (int64_t i = 0; i < tilesOf(codes); ++i) {
      Value x = amx::TileLoadOp::create(
          b, activations, input, ValueRange{firstRow, b.index(4 * quads * i)});
      Value w = loaded.empty() ? loadTile(b, codes, i) : loaded[i];
      sum = amx::TileMulIOp::create(b, sums, x, w, sum, /*isZextLhs=*/false,
                                    /*isZextRhs=*/true);
    }
    amx::TileStoreOp::create(b, dots, ValueRange{to, b.index(0)}, sum);
  }

private:
  static int64_t linesOf(Value codes) {
    return cast<MemRefType>(codes.getType()).getDimSize(1);
  }
  static int64_t quadsOf(Value codes) {
    return linesOf(codes) % tileRows ? tileRows / 2 : tileRows;
  }
  static int64_t tilesOf(Value codes) {
    return linesOf(codes) / quadsOf(codes);
  }
  static Value loadTile(KernelBuilder &b, Value codes, int64_t i) {
    int64_t quads = quadsOf(codes);
    auto type = amx::TileType::get({quads, 4 * tileRows}, b.getI8Type());
    return amx::TileLoadOp::create(
        b, type, codes, ValueRange{b.index(0), b.index(quads * i), b.index(0)});
  }

  static constexpr int64_t tileRows = 16;
};

} // namespace

const Isa &amxIsa() {
  static const AMX isa;
  return isa;
}

} // namespace pmpd::codegen
