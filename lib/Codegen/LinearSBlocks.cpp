// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Linear kernels over layout S for many activation rows.
//
//     for chunk of rows: for group: for panel of a tile:
//       unpack the panel's codes into memory
//       for block of rows of the chunk: dot products
//       for row of the chunk: add them to its sums
//
// The rows' activations of a group are read from the L1 cache for all panels of
// the tile but the first.
#include "lib/Codegen/Epilogue.h"
#include "lib/Codegen/LinearS.h"
#include "pmpd/layout.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace pmpd::codegen {

/// The rows are a multiple of the block's.
void LinearSEmitter::emitBlocks(const Chunk &chunk) {
  auto forPanels = [&](llvm::function_ref<void(Value)> body) {
    b.loop(b.index(0), chunk.panels, 1, body);
  };
  auto forRows = [&](int64_t step, llvm::function_ref<void(Value)> body) {
    b.loop(b.index(0), chunk.rows, step, body);
  };
  forPanels([&](Value panel) {
    forRows(1, [&](Value row) {
      b.store(b.splat(0.0, isa.lanes()), sums, {panel, row, b.index(0)},
              isa.lanes());
    });
  });
  b.loop(b.index(0), b.index(shape.cols / shape.group), 1, [&](Value group) {
    forPanels([&](Value panel) {
      Place at{b.add(chunk.firstPanel, panel), group, chunk.firstRow,
               /*slice=*/0, /*count=*/1};
      unpackGroup(at);
      // All products first: what reads them does not wait for the last ones.
      forRows(isa.blockRows(), [&](Value row) {
        for (unsigned part = 0; part < parts; ++part) {
          Value col = b.add(b.mul(group, shape.group), part * shape.cols);
          isa.blockDots(b, codes, input, {b.add(chunk.firstRow, row), col},
                        products, {b.index(part), row});
        }
      });
      forRows(1, [&](Value row) {
        at.firstRow = b.add(chunk.firstRow, row);
        addProducts(at, {panel, row, b.index(0)});
      });
    });
  });
  forPanels([&](Value panel) {
    forRows(1, [&](Value row) {
      Value y =
          b.load(sums, {panel, row, b.index(0)}, isa.lanes(), isa.lanes());
      storePanel(b, shape.rows, PMPD_PANEL_ROWS, b.add(chunk.firstPanel, panel),
                 b.add(chunk.firstRow, row), y,
                 /*count=*/1);
    });
  });
}

/// Writes the codes of a group to `codes`, each in a byte of its own.
void LinearSEmitter::unpackGroup(const Place &at) {
  groupTiles(at, ValueRange(), [&](Value tile, ValueRange) {
    Value inGroup = b.sub(tile, b.mul(at.group, shape.group / PMPD_TILE_COLS));
    Value firstLine = b.mul(inGroup, PMPD_TILE_COLS / 4);
    // The next group's lines: other panels and the products come between, too
    // long for the hardware to see one stream in them.
    Value ahead = b.add(tile, shape.group / PMPD_TILE_COLS);
    for (Value plane : planes)
      memref::PrefetchOp::create(b, plane,
                                 ValueRange{at.panel, ahead, b.index(0)},
                                 /*isWrite=*/false, /*localityHint=*/3,
                                 /*isDataCache=*/true);
    for (const Field &field : loadTile(at, tile)) {
      Value line = b.add(firstLine, field.quad);
      vector::StoreOp::create(b, extractCodes(b, field), codes,
                              ValueRange{line, b.index(0)});
    }
    return Values();
  });
}

/// Adds the products of a group to the sums at `place`, {panel, row, 0}.
void LinearSEmitter::addProducts(const Place &at, ValueRange place) {
  Values dots;
  for (unsigned part = 0; part < parts; ++part)
    dots.push_back(vector::LoadOp::create(
        b, b.vectorOf(b.getI32Type(), isa.lanes()), products,
        ValueRange{b.index(part), place[1], place[2]}));
  Value y = b.load(sums, place, isa.lanes(), isa.lanes());
  b.store(addDot(at, /*row=*/0, dots, y), sums, place, isa.lanes());
}

} // namespace pmpd::codegen
