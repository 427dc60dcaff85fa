// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Codegen/gpu/GpuLinear.h"
#include "lib/Codegen/gpu/GpuEpilogue.h"
#include "lib/Codegen/gpu/GpuKernels.h"
#include "lib/Codegen/gpu/GpuRowFormat.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;

namespace pmpd::codegen {

/// A block reads its activation rows whole, so with more of them it gets more
/// row tiles of the weight, as long as there are blocks for all
/// multiprocessors.
static LinearBlocking blockingFor(const NestedLinear &shape) {
  constexpr int64_t enoughBlocks = 128;
  if (shape.maxRows == 1)
    return {/*tokens=*/4, /*rowTiles=*/1, /*splits=*/8, /*residentBlocks=*/3};
  if (shape.maxRows <= 4)
    return {/*tokens=*/4, /*rowTiles=*/2, /*splits=*/4, /*residentBlocks=*/3};
  if (shape.maxRows <= 16 && shape.rows < enoughBlocks * 64)
    return {/*tokens=*/16, /*rowTiles=*/2, /*splits=*/4, /*residentBlocks=*/0};
  if (shape.maxRows <= 16)
    return {/*tokens=*/16, /*rowTiles=*/4, /*splits=*/2, /*residentBlocks=*/0};
  if (shape.maxRows <= 64)
    return {/*tokens=*/64, /*rowTiles=*/4, /*splits=*/1, /*residentBlocks=*/0};
  return {/*tokens=*/64, /*rowTiles=*/8, /*splits=*/1, /*residentBlocks=*/0};
}

static int64_t tasksOf(const NestedLinear &shape,
                       const LinearBlocking &blocking) {
  return llvm::divideCeil(shape.rows, 16 * blocking.rowTiles);
}

GpuLinearEmitter::GpuLinearEmitter(GpuKernelBuilder &b,
                                   const NestedLinear &shape,
                                   const LinearBlocking &blocking)
    : b(b), shape(shape), blocking(blocking),
      tiles(pmpd_gpu_col_tiles(shape.cols)) {
  int64_t tasks = tasksOf(shape, blocking);
  task = b.rem(b.block(), tasks);
  firstRow = b.mul(b.div(b.block(), tasks), blocking.tokens);
  lastRow = b.sub(b.rows(), b.constant(1));
  warpTile = b.rem(b.warp(), blocking.rowTiles);
  Value inTile = b.div(b.warp(), blocking.rowTiles);
  split = b.rem(inTile, blocking.splits);
  warpToken = b.mul(b.div(inTile, blocking.splits), blocking.warpTokens());
  // Warps past the last row tile repeat it; their results are not stored.
  rowTile = b.min(b.add(b.mul(task, blocking.rowTiles), warpTile),
                  b.constant(pmpd_gpu_row_tiles(shape.rows) - 1));
  g = b.div(b.lane(), 4);
  t = b.rem(b.lane(), 4);
}

Value GpuLinearEmitter::rowOffset(Value row) {
  return b.mul(b.min(b.add(firstRow, row), lastRow),
               bytesPerGpuRow(shape.cols));
}

Values GpuLinearEmitter::loadActivations(Value first, Value second,
                                         Value params) {
  Values words;
  auto load = [&](Type element, int64_t count, Value pointer) {
    Value vector = b.load(VectorType::get({count}, element), pointer,
                          static_cast<unsigned>(4 * count));
    for (int64_t i = 0; i < count; ++i)
      words.push_back(vector::ExtractOp::create(b, vector, i));
  };
  load(b.getI32Type(), 4, first);
  load(b.getI32Type(), 4, second);
  load(b.getF32Type(), 2, params);
  return words;
}

ActivationWords GpuLinearEmitter::asActivations(ValueRange words) {
  return {Values(words.take_front(8)), words[8], words[9]};
}

int64_t GpuLinearEmitter::sumBytes() const {
  return blocking.splits * blocking.tokens * blockRows() * 4;
}

void GpuLinearEmitter::storeSums(Value memory, ValueRange sums) {
  int64_t elements = blocking.tokens * blockRows();
  // f32 [splits][tokens][rows of the block]
  b.barrier();
  Value own = b.at(memory, b.mul(split, elements * 4));
  Value row = b.add(b.mul(warpTile, 16), g);
  for (int64_t i = 0; i < blocking.warpTokens() / rowsPerMma; ++i)
    for (int64_t second = 0; second < 2; ++second) {
      Value token = b.add(b.add(warpToken, t), i * rowsPerMma);
      Value element = b.add(b.mul(token, blockRows()), row);
      b.store(sums[2 * i + second],
              b.at(b.at(own, b.mul(element, 4)), second * 8 * 4));
    }
  b.barrier();
  // Read again: it need not be in a register all the time.
  Value rows = b.rows();
  auto addUp = [&](Value element) {
    Value sum;
    for (int64_t s = 0; s < blocking.splits; ++s) {
      Value part = b.load(b.getF32Type(), b.at(b.at(memory, b.mul(element, 4)),
                                               s * elements * 4));
      sum = sum ? arith::AddFOp::create(b, sum, part) : part;
    }
    Value token = b.add(firstRow, b.div(element, blockRows()));
    Value n = b.add(b.mul(task, blockRows()), b.rem(element, blockRows()));
    Value isInside = b.less(n, b.constant(shape.rows));
    Value isAsked = b.less(token, rows);
    b.when(arith::AndIOp::create(b, isInside, isAsked),
           [&] { storeElement(b, shape.rows, shape.bias, token, n, sum); });
  };
  b.loop(b.thread(), b.constant(elements), b.constant(b.threads()), addUp);
}

llvm::Expected<Kernel> GpuKernels::linearNested(Layout layout,
                                                const NestedLinear &shape) {
  auto refuse = [](const char *text) {
    return llvm::createStringError(llvm::inconvertibleErrorCode(), text);
  };
  if (layout != Layout::GPU)
    return refuse("expected a weight packed for GPUs; run "
                  "--pmpd-pack=layout=gpu first");
  if (shape.activations != Activations::Q16)
    return refuse("expected activations of 16 bits on GPUs; run "
                  "--pmpd-quantize-rows=activations=q16");
  LinearBlocking blocking = blockingFor(shape);
  std::string name = llvm::formatv(
      "linear_gpu_b{0}of{1}at{2}_n{3}_k{4}_g{5}_{6}x{7}{8}", shape.bits,
      shape.parentBits, shape.prefixIndex, shape.rows, shape.cols, shape.group,
      16 * blocking.rowTiles, blocking.tokens, biasName(shape.bias));
  auto body = [&](GpuKernelBuilder &b) {
    GpuLinearEmitter emitter(b, shape, blocking);
    if (blocking.splits > 1)
      emitter.emitStream();
    else
      emitter.emitBlocks();
  };
  gpu::GPUFuncOp func = get(name, shape.bias ? 4 : 3, linearWarps * 32, body);
  // Else the assembler spills registers for more blocks than are of use.
  if (blocking.residentBlocks)
    func->setAttr(NVVM::NVVMDialect::getMinctasmAttrName(),
                  IntegerAttr::get(IntegerType::get(getContext(), 32),
                                   blocking.residentBlocks));
  return Kernel{func, tasksOf(shape, blocking),
                shape.maxRows > blocking.tokens ? blocking.tokens : 0};
}

} // namespace pmpd::codegen
