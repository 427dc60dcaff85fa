// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_LIB_CODEGEN_LINEARS_H
#define PMPD_LIB_CODEGEN_LINEARS_H

#include "lib/Codegen/CpuKernels.h"
#include "lib/Codegen/isa/Isa.h"

namespace pmpd::codegen {

/// Writes a linear kernel over layout S.
///
/// Few activation rows are multiplied with the codes as they are unpacked into
/// registers. Many of them pay for unpacking a group of columns into memory
/// first (LinearSBlocks.cpp). Sums are taken in the same order either way.
class LinearSEmitter {
public:
  LinearSEmitter(KernelBuilder &b, const NestedLinear &shape);
  void emit();

private:
  /// Panels that share a copy of a span of the rows' activations.
  static constexpr int64_t panelTile = 32;
  /// Of the planes, asked for before they are used.
  static constexpr int64_t bytesAhead = 12 << 10;
  struct Chunk {
    Value firstPanel, panels, firstRow, rows;
  };
  struct Span {
    Value firstGroup, groups;
  };
  /// Of the chunk's panels, those from `first` on that are taken together.
  struct PanelBlock {
    Chunk chunk;
    Span span;
    Value first;
  };

  /// Where the innermost loops are: a panel, a group of columns, some of the
  /// panel's rows, and `count` activation rows.
  struct Place {
    Value panel, group, firstRow;
    unsigned slice, count;
  };

  void emitRest(Value firstPanel, Value panels, Value first);
  void emitRows(ValueRange panels, Value firstRow, unsigned count);
  Values addPanel(Place at, ValueRange sums);
  void allocateBlocks();
  void emitBlocks(const Chunk &chunk);
  Place placeOf(const PanelBlock &block, Value inSpan, Value i);
  void forGroups(const PanelBlock &block, llvm::function_ref<void(Value)> body);
  Values panelParams(const PanelBlock &block, Value inSpan);
  void addDots(const PanelBlock &block);
  void addStoredDots(const PanelBlock &block);
  void gatherRowParams(const Chunk &chunk, const Span &span);
  Value activationRow(unsigned part, Value row, Value inSpan);
  void copyActivations(const Chunk &chunk, const Span &span);
  void unpackGroup(const Place &at, Value place);
  void addToSums(const PanelBlock &block, Value inSpan, ValueRange params,
                 Value firstRow, ValueRange dots);
  Values addGroup(const Place &at, ValueRange y);
  Value addDot(Value scale, Value min, ValueRange parts, Value rowScale,
               Value rowSum, Value y);
  Values addExactGroup(const Place &at, ValueRange y);
  Values integerDots(const Place &at);
  Values addTile(const Place &at, Value tile, ValueRange sums);
  Values groupTiles(const Place &at, int64_t ahead, ValueRange init,
                    llvm::function_ref<Values(Value, ValueRange)> body);
  llvm::SmallVector<Field> loadTile(const Place &at, Value tile);
  void prefetchTile(const Place &at, Value tile);
  Value param(const Place &at, unsigned which);
  Value rowParam(const Place &at, unsigned row, int64_t byteOffset);
  unsigned activationBits() const { return 8 * parts; }

  KernelBuilder &b;
  const NestedLinear &shape;
  const Isa &isa;
  FieldShifts shifts;
  unsigned slices;       // vectors that make up a panel's 16 rows
  unsigned panelsAtOnce; // by a row alone, so that there are planes enough
  int64_t tilesAhead;    // of each plane, to ask for
  unsigned parts;        // int8 terms of an activation
  Values planes;         // bits x i8 [panels, tiles, 64]
  Value params;          // f16 [panels, groups, 32]
  Value input;    // f32 [rows, cols] or i8 [rows, bytes of a quantized row]
  Value inputF32; // the quantized rows as f32

  // For blocks of rows.
  int64_t groupSpan; // groups whose activations are copied at once
  int64_t chunkRows; // as many rows as find room for that in the L2 cache
  Value codes;       // i8 [blockPanels, group / 4, 64], a line for each quad
  Value activations; // i8 [activationRow(), group]
  Value rowParams;   // f32 [groupSpan, scale and sum, chunkRows]
  Value sums;        // f32 [panelTile, chunkRows, 16]
  Value dots;        // i32 [parts, two blocks, blockRows, 16], if stored
};

} // namespace pmpd::codegen

#endif // PMPD_LIB_CODEGEN_LINEARS_H
