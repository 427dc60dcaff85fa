// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Codegen/gpu/WeightTiles.h"
#include "pmpd/gpu_layout.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;

namespace pmpd::codegen {

constexpr int64_t runBytes = 16; // of a plane, and of the parameters of a tile

WeightTiles::WeightTiles(GpuKernelBuilder &b, const NestedLinear &shape,
                         Value rowTile)
    : b(b), shape(shape) {
  int64_t rowBytes = pmpd_gpu_col_tiles(shape.cols) * PMPD_GPU_TILE_BYTES;
  planes = b.at(b.at(b.pointer(0), b.mul(rowTile, rowBytes)),
                b.mul(b.lane(), runBytes));
  int64_t pairBytes =
      pmpd_gpu_group_pairs(shape.cols, shape.group) * PMPD_GPU_PAIR_BYTES;
  Value prefix =
      b.at(b.pointer(0),
           pmpd_gpu_params_offset(shape.rows, shape.cols, shape.group,
                                  shape.parentBits, shape.prefixIndex));
  params = b.at(b.at(prefix, b.mul(rowTile, pairBytes)),
                b.mul(b.div(b.lane(), 4), runBytes));
}

void WeightTiles::forEachRun(
    Value tile, llvm::function_ref<void(Value, int64_t, int64_t)> run) {
  Value first = b.at(planes, b.mul(tile, PMPD_GPU_TILE_BYTES));
  for (unsigned p = 0; p < shape.bits; ++p)
    run(b.at(first, p * pmpd_gpu_plane_bytes(shape.rows, shape.cols)),
        p * PMPD_GPU_TILE_BYTES, runBytes);
  int64_t place = shape.bits * PMPD_GPU_TILE_BYTES;
  if (shape.group == PMPD_GPU_GROUP_COLS)
    return run(b.at(params, b.mul(tile, PMPD_GPU_PAIR_BYTES)), place, runBytes);
  // The halves of a tile have the parameters of any two groups, or of one.
  for (int64_t half = 0; half < 2; ++half) {
    Value group =
        b.div(b.add(b.mul(tile, 2), half), shape.group / PMPD_GPU_GROUP_COLS);
    Value pair = b.mul(b.div(group, 2), PMPD_GPU_PAIR_BYTES);
    run(b.at(params, b.add(pair, b.mul(b.rem(group, 2), runBytes / 2))),
        place + half * runBytes / 2, runBytes / 2);
  }
}

void WeightTiles::copy(Value tile, Value stage) {
  Value own = b.at(stage, b.mul(b.lane(), runBytes));
  forEachRun(tile, [&](Value from, int64_t place, int64_t bytes) {
    // Only copies of 16 bytes can pass the L1 cache by.
    NVVM::CpAsyncOp::create(b, b.at(own, place), from, bytes,
                            bytes == 16 ? NVVM::LoadCacheModifierKind::CG
                                        : NVVM::LoadCacheModifierKind::CA,
                            /*cpSize=*/Value());
  });
}

/// `bytes` bytes, which begin at a multiple of that. Words, because LLVM joins
/// loads but when it splits those of vectors forgets that they are constant.
static Values loadWords(GpuKernelBuilder &b, Value pointer, int64_t bytes,
                        bool constant) {
  Values words;
  for (int64_t i = 0; i < bytes; i += 4)
    words.push_back(b.load(b.getI32Type(), b.at(pointer, i),
                           static_cast<unsigned>(i ? 4 : bytes), constant));
  return words;
}

WeightWords WeightTiles::read(Value stage) {
  Value own = b.at(stage, b.mul(b.lane(), runBytes));
  WeightWords words;
  for (unsigned p = 0; p <= shape.bits; ++p) {
    Values run = loadWords(b, b.at(own, p * PMPD_GPU_TILE_BYTES), runBytes,
                           /*constant=*/false);
    if (p < shape.bits)
      words.planes.push_back(run);
    else
      words.params = run;
  }
  return words;
}

WeightWords WeightTiles::load(Value tile) {
  WeightWords words;
  forEachRun(tile, [&](Value from, int64_t, int64_t bytes) {
    Values run = loadWords(b, from, bytes, /*constant=*/true);
    if (words.planes.size() < shape.bits)
      words.planes.push_back(run);
    else
      words.params.append(run);
  });
  return words;
}

} // namespace pmpd::codegen
