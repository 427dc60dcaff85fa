// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Linear kernels over layout S for many activation rows.
//
//     for chunk of rows: for span of groups:
//       copy the rows' activations
//       for block of panels: for group of the span:
//         unpack their codes into memory
//         for block of rows: dot products, added to the sums
#include "lib/Codegen/Epilogue.h"
#include "lib/Codegen/LinearS.h"
#include "lib/Codegen/RowFormat.h"
#include "pmpd/layout.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace pmpd::codegen {

void LinearSEmitter::allocateBlocks() {
  constexpr int64_t copyBytes = 256 << 10;
  constexpr int64_t maxRows = 128, spanCols = 2048;
  int64_t rows = isa.blockRows();
  groupSpan = std::clamp<int64_t>(spanCols / parts / shape.group, 1,
                                  shape.cols / shape.group);
  chunkRows = copyBytes / (parts * groupSpan * shape.group) / rows * rows;
  chunkRows = std::clamp(chunkRows, rows, maxRows);
  int64_t blocks = parts * chunkRows / rows * groupSpan;
  codes = b.scratch({isa.blockPanels(), shape.group / 4, PMPD_LINE_BYTES},
                    b.getI8Type());
  activations = b.scratch({blocks * (rows + 1), shape.group}, b.getI8Type());
  rowParams = b.scratch({groupSpan, 2, chunkRows}, b.getF32Type());
  sums = b.scratch({panelTile, chunkRows, PMPD_PANEL_ROWS}, b.getF32Type());
  if (isa.storesDots())
    dots = b.scratch({2 * parts * rows, PMPD_PANEL_ROWS}, b.getI32Type());
}

/// The rows are a multiple of the block's.
void LinearSEmitter::emitBlocks(const Chunk &chunk) {
  auto forPanels = [&](unsigned step, llvm::function_ref<void(Value)> body) {
    b.loop(b.index(0), chunk.panels, step, body);
  };
  auto forRows = [&](llvm::function_ref<void(Value)> body) {
    b.loop(b.index(0), chunk.rows, 1, body);
  };
  forPanels(1, [&](Value panel) {
    forRows([&](Value row) {
      b.store(b.splat(0.0, isa.lanes()), sums, {panel, row, b.index(0)},
              isa.lanes());
    });
  });
  Value groups = b.index(shape.cols / shape.group);
  b.loop(b.index(0), groups, groupSpan, [&](Value firstGroup) {
    Span span{firstGroup, b.min(b.sub(groups, firstGroup), groupSpan)};
    gatherRowParams(chunk, span);
    copyActivations(chunk, span);
    forPanels(isa.blockPanels(),
              [&](Value panel) { emitSpan(chunk, span, panel); });
  });
  // Panels inside: a row of results is in a page of its own.
  forRows([&](Value row) {
    forPanels(1, [&](Value panel) {
      Value y =
          b.load(sums, {panel, row, b.index(0)}, isa.lanes(), isa.lanes());
      storePanel(b, shape.rows, PMPD_PANEL_ROWS, b.add(chunk.firstPanel, panel),
                 b.add(chunk.firstRow, row), y,
                 /*count=*/1);
    });
  });
}

/// All rows of the chunk with a span of groups of a block of panels, of which
/// `first` is the first in the tile.
void LinearSEmitter::emitSpan(const Chunk &chunk, const Span &span,
                              Value first) {
  // Where there are fewer panels than in a block the last takes the place of
  // the others, and their sums are not stored.
  auto placeOf = [&](Value inSpan, Value i) -> Place {
    Value last = b.sub(chunk.panels, b.index(1));
    Value panel = arith::MinUIOp::create(b, b.add(first, i), last);
    return {b.add(chunk.firstPanel, panel), b.add(span.firstGroup, inSpan),
            /*firstRow=*/Value(), /*slice=*/0, /*count=*/1};
  };
  struct Params {
    Values scales, mins; // of the block's panels
  };
  auto paramsOf = [&](Value inSpan) {
    Params params;
    for (unsigned i = 0; i < isa.blockPanels(); ++i) {
      Place at = placeOf(inSpan, b.index(i));
      params.scales.push_back(param(at, 0));
      params.mins.push_back(param(at, 1));
    }
    return params;
  };
  auto add = [&](Value inSpan, const Params &params, Value row,
                 ValueRange dots) {
    for (unsigned i = 0; i < isa.blockPanels(); ++i)
      addBlock(inSpan, b.add(first, i), row, params.scales[i], params.mins[i],
               dots.drop_front(i * isa.blockRows()));
  };
  auto forBlocks = [&](int64_t from, llvm::function_ref<void(Value)> body) {
    b.loop(b.index(from), chunk.rows, isa.blockRows(), body);
  };
  auto forGroups = [&](llvm::function_ref<void(Value)> body) {
    b.loop(b.index(0), span.groups, 1, [&](Value inSpan) {
      b.loop(b.index(0), b.index(isa.blockPanels()), 1,
             [&](Value i) { unpackGroup(placeOf(inSpan, i), i); });
      body(inSpan);
    });
  };
  if (!isa.storesDots()) {
    forGroups([&](Value inSpan) {
      Params params = paramsOf(inSpan);
      forBlocks(0, [&](Value row) {
        Values dots;
        for (unsigned part = 0; part < parts; ++part)
          dots.append(isa.blockDots(b, codes, activations,
                                    activationRow(part, row, inSpan)));
        add(inSpan, params, row, dots);
      });
    });
    return;
  }
  // A block is added behind the products of the next, also across groups.
  auto slotOf = [&](Value inSpan, Value row) {
    Value before = b.mul(inSpan, b.div(chunk.rows, isa.blockRows()));
    return b.rem(b.add(before, b.div(row, isa.blockRows())), 2);
  };
  auto dotsAt = [&](unsigned part, Value slot, unsigned row) {
    return b.add(b.mul(b.add(slot, 2 * part), isa.blockRows()), row);
  };
  auto addStored = [&](Value inSpan, const Params &params, Value row) {
    Value slot = slotOf(inSpan, row);
    Values products;
    for (unsigned part = 0; part < parts; ++part)
      for (unsigned i = 0; i < isa.blockRows(); ++i)
        products.push_back(vector::LoadOp::create(
            b, b.vectorOf(b.getI32Type(), isa.lanes()), dots,
            ValueRange{dotsAt(part, slot, i), b.index(0)}));
    add(inSpan, params, row, products);
  };
  Value lastRow = b.sub(chunk.rows, b.index(isa.blockRows()));
  forGroups([&](Value inSpan) {
    Values loaded = isa.loadCodes(b, codes);
    auto multiply = [&](Value row) {
      Value slot = slotOf(inSpan, row);
      for (unsigned part = 0; part < parts; ++part)
        isa.storeDots(b, codes, loaded, activations,
                      activationRow(part, row, inSpan), dots,
                      dotsAt(part, slot, 0));
    };
    multiply(b.index(0));
    b.doIf(arith::CmpIPredicate::ne, inSpan, b.index(0), [&] {
      Value before = b.sub(inSpan, b.index(1));
      addStored(before, paramsOf(before), lastRow);
    });
    Params params = paramsOf(inSpan);
    forBlocks(isa.blockRows(), [&](Value row) {
      multiply(row);
      addStored(inSpan, params, b.sub(row, b.index(isa.blockRows())));
    });
  });
  Value last = b.sub(span.groups, b.index(1));
  addStored(last, paramsOf(last), lastRow);
}

/// Collects the scales and sums that the chunk's rows have of a span of
/// groups, those of a group side by side: in the rows each is in a line of its
/// own.
void LinearSEmitter::gatherRowParams(const Chunk &chunk, const Span &span) {
  unsigned bits = activationBits();
  int64_t groups = shape.cols / shape.group;
  int64_t first = quantizedRowScaleOffset(shape.cols, bits) / 4;
  b.loop(b.index(0), chunk.rows, 1, [&](Value row) {
    b.loop(b.index(0), span.groups, 1, [&](Value group) {
      for (unsigned i : {0, 1}) {
        Value from = b.add(b.add(span.firstGroup, group), first + i * groups);
        Value x = b.load(inputF32, {b.add(chunk.firstRow, row), from}, 1, 1);
        b.store(x, rowParams, {group, b.index(i), row}, 1);
      }
    });
  });
}

/// Where `activations` has a row of a block in a group of the span: the rows of
/// a block follow each other, and a row is left out between blocks, so that
/// they do not all begin in the same set of the L1 cache.
Value LinearSEmitter::activationRow(unsigned part, Value row, Value inSpan) {
  Value block =
      b.add(b.div(row, isa.blockRows()), part * (chunkRows / isa.blockRows()));
  Value place = b.add(b.mul(block, groupSpan), inSpan);
  return b.add(b.mul(place, isa.blockRows() + 1), b.rem(row, isa.blockRows()));
}

/// Copies what the chunk's rows have of a span of groups: where it stands, each
/// row is in another page.
void LinearSEmitter::copyActivations(const Chunk &chunk, const Span &span) {
  int64_t width =
      shape.group % PMPD_LINE_BYTES ? PMPD_LINE_BYTES / 2 : PMPD_LINE_BYTES;
  auto copyRow = [&](Value row, Value group) {
    for (unsigned part = 0; part < parts; ++part) {
      Value to = activationRow(part, row, group);
      for (int64_t i = 0; i < shape.group; i += width) {
        Value col = b.add(b.mul(b.add(span.firstGroup, group), shape.group),
                          part * shape.cols + i);
        Value x =
            vector::LoadOp::create(b, b.vectorOf(b.getI8Type(), width), input,
                                   ValueRange{b.add(chunk.firstRow, row), col});
        vector::StoreOp::create(b, x, activations, ValueRange{to, b.index(i)});
      }
    }
  };
  b.loop(b.index(0), chunk.rows, isa.blockRows(), [&](Value block) {
    b.loop(b.index(0), span.groups, 1, [&](Value group) {
      b.loop(block, b.add(block, isa.blockRows()), 1,
             [&](Value row) { copyRow(row, group); });
    });
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
/// the sums of the tile's `panel` from `firstRow` on.
void LinearSEmitter::addBlock(Value inSpan, Value panel, Value firstRow,
                              Value scale, Value min, ValueRange dots) {
  unsigned stride = isa.blockPanels() * isa.blockRows();
  for (unsigned i = 0; i < isa.blockRows(); ++i) {
    Value row = b.add(firstRow, i);
    auto rowParam = [&](int64_t which) {
      return b.splat(b.loadScalar(rowParams, {inSpan, b.index(which), row}),
                     isa.lanes());
    };
    Values products;
    for (unsigned part = 0; part < parts; ++part)
      products.push_back(dots[part * stride + i]);
    Values sum{panel, row, b.index(0)};
    Value y = b.load(sums, sum, isa.lanes(), isa.lanes());
    y = addDot(scale, min, products, rowParam(0), rowParam(1), y);
    b.store(y, sums, sum, isa.lanes());
  }
}

} // namespace pmpd::codegen
