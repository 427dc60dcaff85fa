// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Codegen/gpu/GpuLinear.h"
#include "lib/Codegen/gpu/GpuRowFormat.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;

namespace pmpd::codegen {

// 128 columns of activations in shared memory:
//   int8 [tokens][2: high, low][8 runs of 16 bytes], f32 [tokens][2]
// The runs of low bytes are exchanged in pairs, so that the 8 lanes that are
// served at once, 4 of a high and 4 of a low part, meet 8 different banks.
constexpr int64_t runBytes = 16, partRuns = 8;
constexpr int64_t tokenBytes = 2 * PMPD_GPU_GROUP_COLS;

static int64_t halfBytes(int64_t tokens) { return tokens * (tokenBytes + 8); }

void GpuLinearEmitter::copyActivations(Value tile, unsigned half,
                                       Value memory) {
  Value run = b.rem(b.thread(), partRuns);
  Value part = b.rem(b.div(b.thread(), partRuns), 2);
  Value token = b.div(b.thread(), 2 * partRuns);
  Value column = b.add(b.mul(tile, PMPD_GPU_TILE_COLS), b.mul(run, runBytes));
  Value source = b.add(b.mul(part, gpuRowPartBytes(shape.cols)), column);
  Value place =
      b.add(b.add(b.mul(token, tokenBytes), b.mul(part, PMPD_GPU_GROUP_COLS)),
            b.mul(arith::XOrIOp::create(b, run, part), runBytes));
  int64_t tokensAtOnce = b.threads() / (2 * partRuns);
  for (int64_t i = 0; i < blocking.tokens; i += tokensAtOnce)
    NVVM::CpAsyncOp::create(
        b, b.at(b.at(memory, place), i * tokenBytes),
        b.at(b.at(b.at(b.pointer(1), rowOffset(b.add(token, i))), source),
             half * PMPD_GPU_GROUP_COLS),
        runBytes, NVVM::LoadCacheModifierKind::CG, /*cpSize=*/Value());
  b.when(b.less(b.thread(), b.constant(blocking.tokens)), [&] {
    Value params = b.at(
        b.at(b.pointer(1), rowOffset(b.thread())),
        b.add(b.mul(tile, 16), b.constant(gpuRowParamsOffset(shape.cols))));
    NVVM::CpAsyncOp::create(
        b,
        b.at(b.at(memory, b.mul(b.thread(), 8)), blocking.tokens * tokenBytes),
        b.at(params, half * 8), 8, NVVM::LoadCacheModifierKind::CA,
        /*cpSize=*/Value());
  });
  NVVM::CpAsyncCommitGroupOp::create(b);
}

void GpuLinearEmitter::emitBlocks() {
  WeightTiles weights(b, shape, rowTile);
  int64_t bytes = halfBytes(blocking.tokens);
  Value memory = b.shared(std::max(2 * bytes, sumBytes()));
  auto buffer = [&](unsigned half) { return b.at(memory, half * bytes); };

  Value part = b.rem(g, 2);
  Value firstRun = arith::XOrIOp::create(b, b.mul(t, 2), part);
  Value row = b.add(b.mul(b.add(warpToken, b.div(g, 2)), tokenBytes),
                    b.mul(part, PMPD_GPU_GROUP_COLS));
  Value first = b.add(row, b.mul(firstRun, runBytes));
  // The other of the pair.
  Value second = arith::XOrIOp::create(b, first, b.constant(runBytes));
  auto read = [&](unsigned half, int64_t i) {
    Value own = b.at(buffer(half), i * rowsPerMma * tokenBytes);
    Value params =
        b.at(buffer(half), blocking.tokens * tokenBytes + i * rowsPerMma * 8);
    return loadActivations(b.at(own, first), b.at(own, second),
                           b.at(params, b.mul(b.add(warpToken, t), 8)));
  };

  auto flatten = [](const WeightWords &words) {
    Values all;
    for (const Values &plane : words.planes)
      all.append(plane);
    all.append(words.params);
    return all;
  };
  auto asWords = [&](ValueRange all) {
    WeightWords words;
    for (unsigned p = 0; p < shape.bits; ++p)
      words.planes.push_back(Values(all.slice(4 * p, 4)));
    words.params = Values(all.take_back(4));
    return words;
  };

  copyActivations(b.constant(0), 0, buffer(0));
  Values init = zeroSums(b, blocking.warpTokens());
  size_t sumCount = init.size();
  init.append(flatten(weights.load(b.constant(0))));
  Values last =
      b.loop(b.constant(0), b.constant(tiles), b.constant(1), init,
             [&](Value tile, ValueRange carried) {
               WeightWords words = asWords(carried.drop_front(sumCount));
               Value following = b.add(tile, 1);
               Values nextWords = flatten(
                   weights.load(b.min(following, b.constant(tiles - 1))));
               Values sums(carried.take_front(sumCount));
               for (unsigned half = 0; half < 2; ++half) {
                 // This half has come for all threads, and all are done with
                 // the buffer that the next one goes to.
                 NVVM::CpAsyncWaitGroupOp::create(b, 0);
                 b.barrier();
                 if (half == 0)
                   copyActivations(tile, 1, buffer(1));
                 else
                   b.when(b.less(following, b.constant(tiles)),
                          [&] { copyActivations(following, 0, buffer(0)); });
                 sums = addProducts(b, words, half, sums, [&](int64_t i) {
                   return asActivations(read(half, i));
                 });
               }
               sums.append(nextWords);
               return sums;
             });
  last.resize(sumCount);
  storeSums(memory, last);
}

} // namespace pmpd::codegen
