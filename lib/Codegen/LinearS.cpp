// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Linear kernels over layout S: one loop nest for every precision, kind of
// activations and instruction set.
//
//     for panel: for tile of activation rows: for group: for slice of the
//     panel's rows: for tile of 32 columns:
//       unpack the lines once, multiply with each activation row
#include "lib/Codegen/LinearS.h"
#include "lib/Codegen/Epilogue.h"
#include "lib/Codegen/RowFormat.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;

namespace pmpd::codegen {

LinearSEmitter::LinearSEmitter(KernelBuilder &b, const NestedLinear &shape)
    : b(b), shape(shape), isa(Isa::of(b.target())), shifts(isa, shape.bits),
      slices(PMPD_PANEL_ROWS / isa.lanes()),
      panelsAtOnce(shape.bits == 2 ? 3 : 1),
      tilesAhead(bytesAhead / PMPD_LINE_BYTES / (panelsAtOnce * shape.bits)),
      parts(shape.activations == Activations::Q16 ? 2 : 1) {
  int64_t panels = llvm::divideCeil(shape.rows, PMPD_PANEL_ROWS);
  Value weight = b.pointer(0);
  for (unsigned j = 0; j < shape.bits; ++j)
    planes.push_back(b.view(
        weight, pmpd_s_region_offset(shape.rows, shape.cols, j),
        {panels, shape.cols / PMPD_TILE_COLS, PMPD_LINE_BYTES}, b.getI8Type()));
  params = b.view(weight,
                  pmpd_s_params_offset(shape.rows, shape.cols, shape.group,
                                       shape.parentBits, shape.prefixIndex),
                  {panels, shape.cols / shape.group, 2 * PMPD_PANEL_ROWS},
                  b.getF16Type());
  input = b.pointer(1);
  if (shape.activations == Activations::F32)
    return;
  int64_t stride =
      bytesPerQuantizedRow(shape.cols, activationBits(), shape.group);
  inputF32 = b.view(input, 0, {anyRows, stride / 4}, b.getF32Type());
  input = b.view(input, 0, {anyRows, stride}, b.getI8Type());
}

void LinearSEmitter::emit() {
  Value first = b.index(0);
  if (isa.blockRows() && shape.activations != Activations::F32) {
    allocateBlocks();
    first = b.mul(b.div(b.rows(), isa.blockRows()), isa.blockRows());
    b.tasks(panelTile, [&](Value firstPanel, Value panels) {
      b.loop(b.index(0), first, chunkRows, [&](Value row) {
        emitBlocks(
            {firstPanel, panels, row, b.min(b.sub(first, row), chunkRows)});
      });
    });
  }
  int64_t allPanels = llvm::divideCeil(shape.rows, PMPD_PANEL_ROWS);
  b.tasks(allPanels, [&](Value firstPanel, Value panels) {
    emitRest(firstPanel, panels, first);
  });
}

/// The rows from `first` on, which fill no block. Tiles of them share what is
/// unpacked of a panel; where there is no whole tile, rows take the panels of a
/// few places at once.
void LinearSEmitter::emitRest(Value firstPanel, Value panels, Value first) {
  unsigned tile = isa.rowTile(shape.activations);
  Value end = b.add(firstPanel, panels);
  Value whole = first;
  if (tile > 1)
    whole = b.add(first, b.mul(b.div(b.sub(b.rows(), first), tile), tile));
  auto emitSingly = [&](ValueRange panels) {
    b.loop(whole, b.rows(), 1, [&](Value row) { emitRows(panels, row, 1); });
  };
  Value next = firstPanel;
  if (panelsAtOnce > 1) {
    Value isTiled =
        arith::CmpIOp::create(b, arith::CmpIPredicate::ne, whole, first);
    Value apart = arith::SelectOp::create(b, isTiled, b.index(0),
                                          b.div(panels, panelsAtOnce));
    b.loop(firstPanel, b.add(firstPanel, apart), 1, [&](Value panel) {
      Values together{panel};
      while (together.size() < panelsAtOnce)
        together.push_back(b.add(together.back(), apart));
      emitSingly(together);
    });
    next = b.add(firstPanel, b.mul(apart, panelsAtOnce));
  }
  b.loop(next, end, 1, [&](Value panel) {
    if (tile > 1)
      b.loop(first, whole, tile,
             [&](Value row) { emitRows(panel, row, tile); });
    emitSingly(panel);
  });
}

/// Results of `count` activation rows, carried as vectors [panel][row][slice].
void LinearSEmitter::emitRows(ValueRange panels, Value firstRow,
                              unsigned count) {
  unsigned width = count * slices; // of a panel
  Values zeros(panels.size() * width, b.splat(0.0, isa.lanes()));
  auto body = [&](Value group, ValueRange sums) {
    Values next;
    for (auto [i, panel] : llvm::enumerate(panels))
      next.append(addPanel({panel, group, firstRow, /*slice=*/0, count},
                           sums.slice(i * width, width)));
    return next;
  };
  Values y =
      b.loop(b.index(0), b.index(shape.cols / shape.group), 1, zeros, body);
  for (auto [i, panel] : llvm::enumerate(panels))
    storePanel(b, shape.rows, PMPD_PANEL_ROWS, panel, firstRow,
               ValueRange(y).slice(i * width, width), count);
}

/// The sums [row][slice] of a panel and the products of a group, all slices.
Values LinearSEmitter::addPanel(Place at, ValueRange sums) {
  int64_t groupsAhead =
      llvm::divideCeil(tilesAhead * PMPD_TILE_COLS, shape.group);
  memref::PrefetchOp::create(
      b, params, ValueRange{at.panel, b.add(at.group, groupsAhead), b.index(0)},
      /*isWrite=*/false, /*localityHint=*/3, /*isDataCache=*/true);
  Values next(sums);
  for (at.slice = 0; at.slice < slices; ++at.slice) {
    Values y;
    for (unsigned row = 0; row < at.count; ++row)
      y.push_back(sums[row * slices + at.slice]);
    y = shape.activations == Activations::F32 ? addExactGroup(at, y)
                                              : addGroup(at, y);
    for (unsigned row = 0; row < at.count; ++row)
      next[row * slices + at.slice] = y[row];
  }
  return next;
}

Value LinearSEmitter::param(const Place &at, unsigned which) {
  int64_t offset = which * PMPD_PANEL_ROWS + at.slice * isa.lanes();
  return b.load(params, {at.panel, at.group, b.index(offset)}, isa.lanes(),
                isa.lanes());
}

Value LinearSEmitter::rowParam(const Place &at, unsigned row,
                               int64_t byteOffset) {
  Value col = b.add(at.group, byteOffset / 4);
  return b.splat(b.loadScalar(inputF32, {b.add(at.firstRow, row), col}),
                 isa.lanes());
}

Values LinearSEmitter::addGroup(const Place &at, ValueRange y) {
  Values sums = integerDots(at);
  Values next;
  unsigned bits = activationBits();
  for (unsigned row = 0; row < at.count; ++row) {
    Value scale = rowParam(at, row, quantizedRowScaleOffset(shape.cols, bits));
    Value sum =
        rowParam(at, row, quantizedRowSumOffset(shape.cols, bits, shape.group));
    next.push_back(addDot(param(at, 0), param(at, 1),
                          ValueRange(sums).slice(row * parts, parts), scale,
                          sum, y[row]));
  }
  return next;
}

/// y + scale * rowScale * dot + min * rowSum, the dot product given by the
/// parts of the activations.
Value LinearSEmitter::addDot(Value scale, Value min, ValueRange parts,
                             Value rowScale, Value rowSum, Value y) {
  Value dot;
  for (Value part : parts) {
    Value real = arith::SIToFPOp::create(
        b, b.vectorOf(b.getF32Type(), isa.lanes()), part);
    // The high byte comes first. In integers a long group would overflow.
    dot = dot ? b.fma(dot, b.splat(256.0, isa.lanes()), real) : real;
  }
  scale = arith::MulFOp::create(b, scale, rowScale);
  return b.fma(min, rowSum, b.fma(scale, dot, y));
}

/// Calls `body` for the tiles of a group, some at a time without a loop, and
/// asks for those `ahead` of them.
Values
LinearSEmitter::groupTiles(const Place &at, int64_t ahead, ValueRange init,
                           llvm::function_ref<Values(Value, ValueRange)> body) {
  int64_t tiles = shape.group / PMPD_TILE_COLS;
  int64_t unroll = std::min<int64_t>(tiles, isa.unrolledTiles());
  while (tiles % unroll)
    --unroll;
  Value first = b.mul(at.group, tiles);
  auto some = [&](Value tile, ValueRange values) {
    Values carried(values);
    for (int64_t i = 0; i < unroll; ++i) {
      Value next = b.add(tile, i);
      if (at.slice == 0) // the others find their part of the lines
        prefetchTile(at, b.add(next, ahead));
      carried = body(next, carried);
    }
    return carried;
  };
  if (unroll == tiles)
    return some(first, init);
  return b.loop(first, b.add(first, tiles), unroll, init, some);
}

/// Asks for the lines of a tile that is read later. What is behind the last is
/// another plane, or nothing, which does no harm.
void LinearSEmitter::prefetchTile(const Place &at, Value tile) {
  for (Value plane : planes)
    memref::PrefetchOp::create(b, plane, ValueRange{at.panel, tile, b.index(0)},
                               /*isWrite=*/false, /*localityHint=*/3,
                               /*isDataCache=*/true);
}

SmallVector<Field> LinearSEmitter::loadTile(const Place &at, Value tile) {
  int64_t width = 4 * isa.lanes();
  Values lines;
  for (Value plane : planes)
    lines.push_back(vector::LoadOp::create(
        b, b.vectorOf(b.getI8Type(), width), plane,
        ValueRange{at.panel, tile, b.index(at.slice * width)},
        /*nontemporal=*/false, llvm::MaybeAlign(width)));
  return unpackTile(b, isa, shape.bits, lines);
}

/// The integer dot products of a group, [row][part].
Values LinearSEmitter::integerDots(const Place &at) {
  Values zeros(at.count * parts * shifts.count, b.splatInt(0, isa.lanes()));
  Values sums =
      groupTiles(at, tilesAhead, zeros, [&](Value tile, ValueRange values) {
        return addTile(at, tile, values);
      });
  Values dots;
  const Value *sum = sums.begin();
  for (unsigned part = 0; part < at.count * parts; ++part) {
    Value whole;
    for (unsigned i = 0; i < shifts.count; ++i, ++sum) {
      unsigned shift = shifts.base + i * shifts.step;
      Value term =
          arith::ShRSIOp::create(b, *sum, b.splatInt(shift, isa.lanes()));
      whole = whole ? arith::AddIOp::create(b, whole, term) : term;
    }
    dots.push_back(whole);
  }
  return dots;
}

/// Adds the products of a tile to `sums` [row][part][shift].
Values LinearSEmitter::addTile(const Place &at, Value tile, ValueRange sums) {
  Values partials;
  for (Value sum : sums)
    partials.push_back(isa.beginTile(b, sum));
  Value firstCol = b.mul(tile, PMPD_TILE_COLS);
  for (const Field &field : loadTile(at, tile)) {
    Field codes = isolate(b, isa, field);
    unsigned shift = (codes.shift - shifts.base) / shifts.step;
    for (unsigned row = 0; row < at.count; ++row)
      for (unsigned part = 0; part < parts; ++part) {
        Value col = b.add(firstCol, part * shape.cols + 4 * codes.quad);
        Value x =
            vector::LoadOp::create(b, b.vectorOf(b.getI8Type(), 4), input,
                                   ValueRange{b.add(at.firstRow, row), col});
        Value &partial = partials[(row * parts + part) * shifts.count + shift];
        partial = isa.dot(b, partial, codes.bytes, x);
      }
  }
  for (auto [sum, partial] : llvm::zip(sums, partials))
    partial = isa.endTile(b, sum, partial);
  return partials;
}

/// y + x * weight, the weight as f32. Four sums per row, one for each byte of a
/// lane, keep the chain of additions short.
Values LinearSEmitter::addExactGroup(const Place &at, ValueRange y) {
  unsigned lanes = isa.lanes();
  VectorType ints = b.vectorOf(b.getI32Type(), lanes);
  Value scale = param(at, 0);
  Value min = param(at, 1);
  Values init(4 * at.count, b.splat(0.0, lanes));
  for (unsigned row = 0; row < at.count; ++row)
    init[4 * row] = y[row];
  auto body = [&](Value tile, ValueRange values) {
    Values sums(values);
    Value firstCol = b.mul(tile, PMPD_TILE_COLS);
    for (const Field &field : loadTile(at, tile)) {
      Value words = vector::BitCastOp::create(b, ints, field.bytes);
      for (unsigned i = 0; i < 4; ++i) {
        Value code = arith::AndIOp::create(
            b,
            arith::ShRUIOp::create(b, words,
                                   b.splatInt(8 * i + field.shift, lanes)),
            b.splatInt(field.mask >> field.shift, lanes));
        Value real =
            arith::SIToFPOp::create(b, b.vectorOf(b.getF32Type(), lanes), code);
        Value weight = b.fma(scale, real, min);
        Value col = b.add(firstCol, 4 * field.quad + i);
        for (unsigned row = 0; row < at.count; ++row) {
          Value x = b.loadScalar(input, {b.add(at.firstRow, row), col});
          Value &sum = sums[4 * row + i];
          sum = b.fma(weight, b.splat(x, lanes), sum);
        }
      }
    }
    return sums;
  };
  Values sums = groupTiles(at, tilesAhead, init, body);
  Values next;
  for (unsigned row = 0; row < at.count; ++row) {
    auto sum = [&](unsigned i, unsigned j) -> Value {
      return arith::AddFOp::create(b, sums[4 * row + i], sums[4 * row + j]);
    };
    next.push_back(arith::AddFOp::create(b, sum(0, 1), sum(2, 3)));
  }
  return next;
}

static StringRef nameOf(Activations activations) {
  switch (activations) {
  case Activations::F32:
    return "f32";
  case Activations::Q8:
    return "q8";
  case Activations::Q16:
    return "q16";
  }
  llvm_unreachable("every kind is listed");
}

Kernel CpuKernels::linearS(const NestedLinear &shape) {
  bool exact = shape.activations == Activations::F32;
  unsigned activationBits = shape.activations == Activations::Q16 ? 16 : 8;
  SmallVector<MemRefType> pointers = {
      bytes(pmpd_s_params_offset(shape.rows, shape.cols, shape.group,
                                 shape.parentBits, shape.prefixIndex + 1)),
      exact ? f32Rows(shape.cols)
            : bytes(anyRows * bytesPerQuantizedRow(shape.cols, activationBits,
                                                   shape.group)),
      f32Rows(shape.rows)};
  std::string name = llvm::formatv(
      "linear_s_b{0}of{1}p{2}_{3}_n{4}_k{5}_g{6}{7}", shape.bits,
      shape.parentBits, shape.prefixIndex, nameOf(shape.activations),
      shape.rows, shape.cols, shape.group, biasName(shape.bias));
  if (shape.bias)
    pointers.push_back(MemRefType::get({shape.rows}, shape.bias));
  return {get(name, pointers,
              [&](KernelBuilder &b) { LinearSEmitter(b, shape).emit(); }),
          static_cast<int64_t>(llvm::divideCeil(shape.rows, PMPD_PANEL_ROWS)),
          /*rowTile=*/0};
}

} // namespace pmpd::codegen
