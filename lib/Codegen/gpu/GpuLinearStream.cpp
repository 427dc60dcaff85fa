// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Codegen/gpu/GpuLinear.h"
#include "lib/Codegen/gpu/GpuRowFormat.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;

namespace pmpd::codegen {

/// What a block may have without asking the driver for more.
constexpr int64_t sharedBytes = 48 << 10;
/// Tiles of a warp on their way; where they are small, more blocks on a
/// multiprocessor hide latency as well.
constexpr int64_t maxStages = 4;

void GpuLinearEmitter::emitStream() {
  WeightTiles weights(b, shape, rowTile);
  int64_t stageBytes = weights.stageBytes();
  int64_t stages = std::min<int64_t>(
      {maxStages, sharedBytes / (linearWarps * stageBytes),
       static_cast<int64_t>(llvm::divideCeil(tiles, blocking.splits))});
  Value memory =
      b.shared(std::max(linearWarps * stages * stageBytes, sumBytes()));
  Value ring = b.at(memory, b.mul(b.warp(), stages * stageBytes));
  // A lane reads only what it has copied itself, so that no barrier is needed.
  auto copy = [&](Value tile, Value stage) {
    b.when(b.less(tile, b.constant(tiles)),
           [&] { weights.copy(tile, b.at(ring, stage)); });
    NVVM::CpAsyncCommitGroupOp::create(b);
  };
  for (int64_t s = 0; s < stages; ++s)
    copy(b.add(split, s * blocking.splits), b.constant(s * stageBytes));
  b.waitForLaunchesBefore();

  int64_t parts = blocking.tokens / rowsPerMma;
  Values bytes, params;
  for (int64_t i = 0; i < parts; ++i) {
    // Columns of an MMA are the high and the low bytes of a row in turn.
    Value part = b.mul(b.rem(g, 2), gpuRowPartBytes(shape.cols));
    Value row = rowOffset(b.add(b.div(g, 2), i * rowsPerMma));
    bytes.push_back(b.add(b.add(row, part), b.mul(t, 32)));
    params.push_back(b.add(rowOffset(b.add(t, i * rowsPerMma)),
                           gpuRowParamsOffset(shape.cols)));
  }
  auto load = [&](Value tile, int64_t i, int64_t half) {
    Value own = b.add(bytes[i], b.mul(tile, PMPD_GPU_TILE_COLS));
    Value ownParams = b.add(params[i], b.mul(tile, 16));
    Value first = b.at(b.at(b.pointer(1), own), half * PMPD_GPU_GROUP_COLS);
    return loadActivations(first, b.at(first, 16),
                           b.at(b.at(b.pointer(1), ownParams), half * 8));
  };
  // Those of the next tile are on their way while a tile is computed, where
  // there are registers for them.
  bool ahead = parts == 1;
  auto loadAhead = [&](Value tile) {
    Values words;
    if (ahead)
      for (int64_t half = 0; half < 2; ++half)
        words.append(load(b.min(tile, b.constant(tiles - 1)), 0, half));
    return words;
  };

  Values init = zeroSums(b, blocking.tokens);
  size_t sumCount = init.size();
  init.push_back(b.constant(0));
  init.append(loadAhead(split));
  Values last = b.loop(
      split, b.constant(tiles), b.constant(blocking.splits), init,
      [&](Value tile, ValueRange carried) {
        Value stage = carried[sumCount];
        ValueRange current = carried.drop_front(sumCount + 1);
        NVVM::CpAsyncWaitGroupOp::create(b, stages - 1);
        WeightWords words = weights.read(b.at(ring, stage));
        copy(b.add(tile, stages * blocking.splits), stage);
        Values nextWords = loadAhead(b.add(tile, blocking.splits));
        Values next(carried.take_front(sumCount));
        for (unsigned half = 0; half < 2; ++half)
          next = addProducts(b, words, half, next, [&](int64_t i) {
            return asActivations(ahead ? current.slice(10 * half, 10)
                                       : ValueRange(load(tile, i, half)));
          });
        Value after = b.add(stage, stageBytes);
        next.push_back(b.select(b.equal(after, stages * stageBytes),
                                b.constant(0), after));
        next.append(nextWords);
        return next;
      });
  last.resize(sumCount);
  storeSums(memory, last);
}

} // namespace pmpd::codegen
