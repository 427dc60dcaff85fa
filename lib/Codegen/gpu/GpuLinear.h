// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_LIB_CODEGEN_GPU_GPULINEAR_H
#define PMPD_LIB_CODEGEN_GPU_GPULINEAR_H

#include "lib/Codegen/gpu/LinearTile.h"

namespace pmpd::codegen {

constexpr int64_t linearWarps = 8;

/// How a linear kernel is cut into blocks of `linearWarps` warps: each block
/// has `rowTiles` x 16 rows of the weight and `tokens` activation rows. The
/// warps of a row tile share the columns in `splits`, and the activation rows.
struct LinearBlocking {
  int64_t tokens;
  int64_t rowTiles;
  int64_t splits;
  /// Blocks that a multiprocessor is to have registers for; 0 leaves that to
  /// the assembler.
  int64_t residentBlocks;

  /// Activation rows of a warp.
  int64_t warpTokens() const {
    return tokens * rowTiles * splits / linearWarps;
  }
};

/// Writes a linear kernel over layout GPU. Pointers are (weight, rows of
/// GpuRowFormat.h, output[, bias]).
class GpuLinearEmitter {
public:
  GpuLinearEmitter(GpuKernelBuilder &b, const NestedLinear &shape,
                   const LinearBlocking &blocking);

  /// For few activation rows, where time is that of reading the weights: every
  /// warp streams its own tiles through shared memory.
  void emitStream();
  /// For many: the activations of a tile of columns are in shared memory, for
  /// all warps.
  void emitBlocks();

private:
  /// Activation row `row` of the block, or the call's last one.
  Value rowOffset(Value row);
  /// [10]: bytes, scale and sum of ActivationWords, from two runs of 16 bytes
  /// and one of 8.
  Values loadActivations(Value first, Value second, Value params);
  static ActivationWords asActivations(ValueRange words);
  /// Adds up the splits and writes the output. `memory` has sumBytes().
  void storeSums(Value memory, ValueRange sums);
  int64_t sumBytes() const;
  int64_t blockRows() const { return 16 * blocking.rowTiles; }

  // Of emitBlocks.
  void copyActivations(Value tile, unsigned half, Value memory);

  GpuKernelBuilder &b;
  const NestedLinear &shape;
  LinearBlocking blocking;
  int64_t tiles;         // of columns
  Value task;            // of the blocks over the weight's rows
  Value firstRow;        // of activations
  Value lastRow;         // of the call
  Value warpTile, split; // of the warp, in the block
  Value warpToken;       // the first of the warp, in the block
  Value rowTile;         // of the warp, in the weight
  Value g, t;            // lane / 4, lane % 4
};

} // namespace pmpd::codegen

#endif // PMPD_LIB_CODEGEN_GPU_GPULINEAR_H
