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
  void blockDots(KernelBuilder &b, Value codes, Value input,
                 std::array<Value, 2> first, Value products,
                 std::array<Value, 2> place) const override {
    int64_t lines = cast<MemRefType>(codes.getType()).getDimSize(0);
    int64_t quads = lines % tileRows ? tileRows / 2 : tileRows;
    Type i8 = b.getI8Type();
    auto weights = amx::TileType::get({quads, 4 * tileRows}, i8);
    auto activations = amx::TileType::get({tileRows, 4 * quads}, i8);
    auto sums = amx::TileType::get({tileRows, tileRows}, b.getI32Type());
    Value sum = amx::TileZeroOp::create(b, sums);
    for (int64_t line = 0; line < lines; line += quads) {
      Value w = amx::TileLoadOp::create(b, weights, codes,
                                        ValueRange{b.index(line), b.index(0)});
      Value x = amx::TileLoadOp::create(
          b, activations, input,
          ValueRange{first[0], b.add(first[1], 4 * line)});
      sum = amx::TileMulIOp::create(b, sums, x, w, sum,
                                    /*isZextLhs=*/false, /*isZextRhs=*/true);
    }
    amx::TileStoreOp::create(b, products,
                             ValueRange{place[0], place[1], b.index(0)}, sum);
  }

  static constexpr int64_t tileRows = 16;
};

} // namespace

const Isa &amxIsa() {
  static const AMX isa;
  return isa;
}

} // namespace pmpd::codegen
