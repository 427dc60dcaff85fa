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
    forPanels(isa.blockPanels(), [&](Value panel) {
      PanelBlock block{chunk, span, panel};
      isa.storesDots() ? addStoredDots(block) : addDots(block);
    });
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

/// One of the block's panels in a group of the span. Where there are fewer
/// panels than in a block the last takes the place of the others, and their
/// sums are not stored.
LinearSEmitter::Place LinearSEmitter::placeOf(const PanelBlock &block,
                                              Value inSpan, Value i) {
  Value last = b.sub(block.chunk.panels, b.index(1));
  Value panel = arith::MinUIOp::create(b, b.add(block.first, i), last);
  return {b.add(block.chunk.firstPanel, panel),
          b.add(block.span.firstGroup, inSpan), /*firstRow=*/Value(),
          /*slice=*/0, /*count=*/1};
}

/// Unpacks the codes of one group of the span after another.
void LinearSEmitter::forGroups(const PanelBlock &block,
                               llvm::function_ref<void(Value)> body) {
  b.loop(b.index(0), block.span.groups, 1, [&](Value inSpan) {
    b.loop(b.index(0), b.index(isa.blockPanels()), 1,
           [&](Value i) { unpackGroup(placeOf(block, inSpan, i), i); });
    body(inSpan);
  });
}

/// Scale and minimum of each panel.
Values LinearSEmitter::panelParams(const PanelBlock &block, Value inSpan) {
  Values params;
  for (unsigned i = 0; i < isa.blockPanels(); ++i) {
    Place at = placeOf(block, inSpan, b.index(i));
    params.push_back(param(at, 0));
    params.push_back(param(at, 1));
  }
  return params;
}

void LinearSEmitter::addDots(const PanelBlock &block) {
  forGroups(block, [&](Value inSpan) {
    Values params = panelParams(block, inSpan);
    b.loop(b.index(0), block.chunk.rows, isa.blockRows(), [&](Value row) {
      Values dots;
      for (unsigned part = 0; part < parts; ++part)
        dots.append(isa.blockDots(b, codes, activations,
                                  activationRow(part, row, inSpan)));
      addToSums(block, inSpan, params, row, dots);
    });
  });
}

/// A block of rows is added behind the products of the next one, also across
/// groups: `dots` holds both.
void LinearSEmitter::addStoredDots(const PanelBlock &block) {
  Value step = b.index(isa.blockRows());
  Value lastRow = b.sub(block.chunk.rows, step);
  auto dotsAt = [&](Value inSpan, Value row, unsigned part) {
    Value before = b.mul(inSpan, b.div(block.chunk.rows, isa.blockRows()));
    Value slot = b.rem(b.add(before, b.div(row, isa.blockRows())), 2);
    return b.mul(b.add(slot, 2 * part), isa.blockRows());
  };
  auto addStored = [&](Value inSpan, const Values &params, Value row) {
    Values products;
    for (unsigned part = 0; part < parts; ++part)
      for (unsigned i = 0; i < isa.blockRows(); ++i)
        products.push_back(vector::LoadOp::create(
            b, b.vectorOf(b.getI32Type(), isa.lanes()), dots,
            ValueRange{b.add(dotsAt(inSpan, row, part), i), b.index(0)}));
    addToSums(block, inSpan, params, row, products);
  };
  forGroups(block, [&](Value inSpan) {
    Values loaded = isa.loadCodes(b, codes);
    auto multiply = [&](Value row) {
      for (unsigned part = 0; part < parts; ++part)
        isa.storeDots(b, codes, loaded, activations,
                      activationRow(part, row, inSpan), dots,
                      dotsAt(inSpan, row, part));
    };
    multiply(b.index(0));
    b.doIf(arith::CmpIPredicate::ne, inSpan, b.index(0), [&] {
      Value before = b.sub(inSpan, b.index(1));
      addStored(before, panelParams(block, before), lastRow);
    });
    Values params = panelParams(block, inSpan);
    b.loop(step, block.chunk.rows, isa.blockRows(), [&](Value row) {
      multiply(row);
      addStored(inSpan, params, b.sub(row, step));
    });
  });
  Value last = b.sub(block.span.groups, b.index(1));
  addStored(last, panelParams(block, last), lastRow);
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

/// Adds the products of the rows from `firstRow` on, [part][panel][row].
void LinearSEmitter::addToSums(const PanelBlock &block, Value inSpan,
                               ValueRange params, Value firstRow,
                               ValueRange dots) {
  unsigned stride = isa.blockPanels() * isa.blockRows();
  for (unsigned panel = 0; panel < isa.blockPanels(); ++panel)
    for (unsigned i = 0; i < isa.blockRows(); ++i) {
      Value row = b.add(firstRow, i);
      auto rowParam = [&](int64_t which) {
        return b.splat(b.loadScalar(rowParams, {inSpan, b.index(which), row}),
                       isa.lanes());
      };
      Values products;
      for (unsigned part = 0; part < parts; ++part)
        products.push_back(dots[part * stride + panel * isa.blockRows() + i]);
      Values sum{b.add(block.first, panel), row, b.index(0)};
      Value y = b.load(sums, sum, isa.lanes(), isa.lanes());
      y = addDot(params[2 * panel], params[2 * panel + 1], products,
                 rowParam(0), rowParam(1), y);
      b.store(y, sums, sum, isa.lanes());
    }
}

} // namespace pmpd::codegen
