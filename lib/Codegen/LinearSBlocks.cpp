// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Linear kernels over layout S for many activation rows.
//
//     for chunk of rows: for group:
//       copy the rows' activations
//       for block of panels of a tile:
//         unpack their codes into memory
//         for block of rows of the chunk: dot products, added to the sums
#include "lib/Codegen/Epilogue.h"
#include "lib/Codegen/LinearS.h"
#include "lib/Codegen/RowFormat.h"
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
    Value inSpan = b.rem(group, groupSpan);
    b.doIf(arith::CmpIPredicate::eq, inSpan, b.index(0),
           [&] { gatherRowParams(chunk, group); });
    copyActivations(chunk, group);
    b.loop(b.index(0), chunk.panels, isa.blockPanels(), [&](Value first) {
      // Where there are fewer panels than in a block the last takes the place
      // of the others, and their sums are not stored.
      auto placeOf = [&](Value i) -> Place {
        Value last = b.sub(chunk.panels, b.index(1));
        Value panel = arith::MinUIOp::create(b, b.add(first, i), last);
        return {b.add(chunk.firstPanel, panel), group, /*firstRow=*/Value(),
                /*slice=*/0, /*count=*/1};
      };
      b.loop(b.index(0), b.index(isa.blockPanels()), 1,
             [&](Value i) { unpackGroup(placeOf(i), i); });
      forRows(isa.blockRows(), [&](Value row) {
        Values dots;
        for (unsigned part = 0; part < parts; ++part)
          dots.append(isa.blockDots(b, codes, activations,
                                    b.add(row, part * chunkRows)));
        for (unsigned i = 0; i < isa.blockPanels(); ++i) {
          Place at = placeOf(b.index(i));
          at.firstRow = row;
          addBlock(at, inSpan, b.add(first, i),
                   ValueRange(dots).drop_front(i * isa.blockRows()));
        }
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

/// Collects the scales and sums that the chunk's rows have of some groups,
/// those of a group side by side: in the rows each is in a line of its own.
void LinearSEmitter::gatherRowParams(const Chunk &chunk, Value firstGroup) {
  unsigned bits = activationBits();
  int64_t groups = shape.cols / shape.group;
  int64_t first = quantizedRowScaleOffset(shape.cols, bits) / 4;
  b.loop(b.index(0), chunk.rows, 1, [&](Value row) {
    Value count = b.min(b.sub(b.index(groups), firstGroup), groupSpan);
    b.loop(b.index(0), count, 1, [&](Value group) {
      for (unsigned i : {0, 1}) {
        Value from = b.add(b.add(firstGroup, group), first + i * groups);
        Value x = b.load(inputF32, {b.add(chunk.firstRow, row), from}, 1, 1);
        b.store(x, rowParams, {group, b.index(i), row}, 1);
      }
    });
  });
}

/// Copies what the chunk's rows have of a group: where it stands, each row is
/// in another page and many of them in the same sets of the L1 cache.
void LinearSEmitter::copyActivations(const Chunk &chunk, Value group) {
  int64_t width =
      shape.group % PMPD_LINE_BYTES ? PMPD_LINE_BYTES / 2 : PMPD_LINE_BYTES;
  b.loop(b.index(0), chunk.rows, 1, [&](Value row) {
    for (unsigned part = 0; part < parts; ++part)
      for (int64_t i = 0; i < shape.group; i += width) {
        Value col = b.add(b.mul(group, shape.group), part * shape.cols + i);
        Value x =
            vector::LoadOp::create(b, b.vectorOf(b.getI8Type(), width), input,
                                   ValueRange{b.add(chunk.firstRow, row), col});
        vector::StoreOp::create(
            b, x, activations,
            ValueRange{b.add(row, part * chunkRows), b.index(i)});
      }
  });
}

/// Writes the codes of a group to `codes`, each in a byte of its own.
void LinearSEmitter::unpackGroup(const Place &at, Value place) {
  // The next group's lines: other panels and the products come between.
  int64_t tiles = shape.group / PMPD_TILE_COLS;
  groupTiles(at, /*ahead=*/tiles, ValueRange(), [&](Value tile, ValueRange) {
    Value inGroup = b.sub(tile, b.mul(at.group, tiles));
    Value firstLine = b.mul(inGroup, PMPD_TILE_COLS / 4);
    for (const Field &field : loadTile(at, tile)) {
      Value line = b.add(firstLine, field.quad);
      vector::StoreOp::create(b, extractCodes(b, field), codes,
                              ValueRange{place, line, b.index(0)});
    }
    return Values();
  });
}

/// Adds the products of a block of rows, [part][panels of the block][row], to
/// the sums of the tile's `panel`.
void LinearSEmitter::addBlock(const Place &at, Value inSpan, Value panel,
                              ValueRange dots) {
  unsigned stride = isa.blockPanels() * isa.blockRows();
  for (unsigned i = 0; i < isa.blockRows(); ++i) {
    Value row = b.add(at.firstRow, i);
    auto rowParam = [&](int64_t which) {
      return b.splat(b.loadScalar(rowParams, {inSpan, b.index(which), row}),
                     isa.lanes());
    };
    Values products;
    for (unsigned part = 0; part < parts; ++part)
      products.push_back(dots[part * stride + i]);
    Values sum{panel, row, b.index(0)};
    Value y = b.load(sums, sum, isa.lanes(), isa.lanes());
    b.store(addDot(at, products, rowParam(0), rowParam(1), y), sums, sum,
            isa.lanes());
  }
}

} // namespace pmpd::codegen
