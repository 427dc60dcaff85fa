// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_LIB_CODEGEN_GPU_WEIGHTTILES_H
#define PMPD_LIB_CODEGEN_GPU_WEIGHTTILES_H

#include "lib/Codegen/KernelLibrary.h"
#include "lib/Codegen/gpu/GpuKernelBuilder.h"

namespace pmpd::codegen {

/// A lane's words of one tile of a packed weight, 16 rows and 256 columns, as
/// pmpd/gpu_layout.h names them: word 2 * h + r is of columns 128 * h .. and of
/// row 8 * r + lane / 4.
struct WeightWords {
  llvm::SmallVector<Values> planes; /// [bits][4] of i32
  Values params;                    /// [4] of i32: scale, then min
};

/// Where the calling lane finds the tiles of a row tile in layout GPU.
class WeightTiles {
public:
  WeightTiles(GpuKernelBuilder &b, const NestedLinear &shape, Value rowTile);

  /// Bytes of shared memory that a warp needs to copy a tile into.
  int64_t stageBytes() const { return (shape.bits + 1) * 512; }

  /// Begins to copy the words of column tile `tile` to the lane's places in
  /// the stage at `stage`.
  void copy(Value tile, Value stage);
  /// What a finished copy has brought; only the lane's own copies matter.
  WeightWords read(Value stage);
  /// The words of column tile `tile` straight from memory.
  WeightWords load(Value tile);

private:
  /// Calls with every run of bytes of the lane in a tile: where it is in
  /// memory, its place in a stage, and its size.
  void forEachRun(Value tile,
                  llvm::function_ref<void(Value, int64_t, int64_t)> run);

  GpuKernelBuilder &b;
  const NestedLinear &shape;
  Value planes, params; // of the row tile and lane
};

} // namespace pmpd::codegen

#endif // PMPD_LIB_CODEGEN_GPU_WEIGHTTILES_H
