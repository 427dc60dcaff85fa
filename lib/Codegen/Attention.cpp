// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Codegen/KernelLibrary.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/FormatVariadic.h"

#include <limits>

using namespace mlir;

namespace pmpd::codegen {
namespace {

enum CachePlane { Keys = 0, ValuesPlane = 1 };

/// Softmax over positions as they come: the sums are kept relative to the
/// largest score so far and rescaled when it grows.
class AttentionEmitter {
public:
  AttentionEmitter(KernelBuilder &b, const AttentionShape &shape)
      : b(b), shape(shape), width(b.lanes()) {
    while (shape.cache.headDim % width)
      width /= 2;
    chunks = shape.cache.headDim / width;
  }

  void emit() {
    b.tasks([&](Value task) {
      Value row = b.div(task, shape.heads);
      Value head = b.rem(task, shape.heads);
      kvHead = b.div(head, shape.heads / shape.cache.heads);
      Value firstCol = b.mul(head, shape.cache.headDim);
      loadQuery(row, firstCol);

      Value end = b.add(b.add(b.position(), row), 1);
      Value begin = firstPosition(end);
      // Blocks start at the first position, so they do not depend on how a
      // prompt is cut into chunks beyond that.
      unsigned block = b.lanes();
      Value whole = b.add(begin, b.mul(b.div(b.sub(end, begin), block), block));
      Values state = {
          arith::ConstantOp::create(
              b, b.getF32FloatAttr(std::numeric_limits<float>::lowest())),
          arith::ConstantOp::create(b, b.getF32FloatAttr(0))};
      state.append(chunks, b.splat(0.0, width));
      auto attend = [&](unsigned count) {
        return [this, count](Value first, ValueRange state) {
          return addPositions(first, count, state);
        };
      };
      state = b.loop(begin, whole, block, state, attend(block));
      state = b.loop(whole, end, 1, state, attend(1));

      Value total = b.splat(state[1], width);
      for (unsigned c = 0; c < chunks; ++c)
        b.store(arith::DivFOp::create(b, state[2 + c], total), b.pointer(2),
                {row, b.add(firstCol, c * width)}, width);
    });
  }

private:
  void loadQuery(Value row, Value firstCol) {
    query.clear();
    Value scale = b.splat(shape.scale, width);
    for (unsigned c = 0; c < chunks; ++c) {
      Value x =
          b.load(b.pointer(0), {row, b.add(firstCol, c * width)}, width, width);
      query.push_back(arith::MulFOp::create(b, x, scale));
    }
  }

  Value firstPosition(Value end) {
    if (!shape.window)
      return b.index(0);
    Value window = b.index(*shape.window);
    Value clipped = arith::MinUIOp::create(b, end, window);
    return b.sub(end, clipped);
  }

  Value loadCache(CachePlane plane, Value position, unsigned chunk) {
    return b.load(b.pointer(1),
                  {b.index(plane), kvHead, position, b.index(chunk * width)},
                  width, width);
  }

  Value score(Value position) {
    Value sum = b.splat(0.0, width);
    for (unsigned c = 0; c < chunks; ++c)
      sum = b.fma(query[c], loadCache(Keys, position, c), sum);
    return b.sumOf(sum);
  }

  /// State is the largest score, the sum of exponentials and the weighted sum
  /// of values.
  Values addPositions(Value first, unsigned count, ValueRange state) {
    Values scores;
    for (unsigned i = 0; i < count; ++i)
      scores.push_back(score(b.add(first, i)));
    Value vector = vector::FromElementsOp::create(
        b, b.vectorOf(b.getF32Type(), count), scores);
    Value max = arith::MaxNumFOp::create(b, state[0], b.maxOf(vector));
    Value weights = math::ExpOp::create(
        b, arith::SubFOp::create(b, vector, b.splat(max, count)));
    Value rescale = math::ExpOp::create(
        b, b.splat(arith::SubFOp::create(b, state[0], max), width));
    Value total = arith::MulFOp::create(b, state[1], b.extract(rescale, 0));
    Values next = {max, arith::AddFOp::create(b, total, b.sumOf(weights))};
    for (unsigned c = 0; c < chunks; ++c) {
      Value sum = arith::MulFOp::create(b, state[2 + c], rescale);
      for (unsigned i = 0; i < count; ++i)
        sum = b.fma(b.splat(b.extract(weights, i), width),
                    loadCache(ValuesPlane, b.add(first, i), c), sum);
      next.push_back(sum);
    }
    return next;
  }

  KernelBuilder &b;
  const AttentionShape &shape;
  unsigned width;  // of a chunk of a head
  unsigned chunks; // in a head
  Value kvHead;
  Values query; // scaled, one vector per chunk
};

MemRefType cacheType(const CacheShape &shape) {
  return MemRefType::get({2, shape.heads, shape.context, shape.headDim},
                         shape.element);
}

std::string cacheName(const CacheShape &shape) {
  return llvm::formatv("{0}_kv{1}_d{2}_c{3}", nameOf(shape.element),
                       shape.heads, shape.headDim, shape.context);
}

} // namespace

Kernel KernelLibrary::kvAppend(const CacheShape &shape) {
  int64_t cols = shape.heads * shape.headDim;
  auto body = [&](KernelBuilder &b) {
    b.tasks([&](Value row) {
      Value position = b.add(b.position(), row);
      b.loop(b.index(0), b.index(shape.heads), 1, [&](Value head) {
        Value first = b.mul(head, shape.headDim);
        b.columns(shape.headDim, [&](Value i, int64_t count) {
          for (unsigned plane : {Keys, ValuesPlane}) {
            Value x = b.load(b.pointer(plane), {row, b.add(first, i)}, count,
                             b.lanes());
            b.store(x, b.pointer(2), {b.index(plane), head, position, i},
                    count);
          }
        });
      });
    });
  };
  return {get("kv_append_" + cacheName(shape),
              {f32Rows(cols), f32Rows(cols), cacheType(shape)}, body),
          /*tasks=*/1, /*perRow=*/true};
}

Kernel KernelLibrary::widenCache(const CacheShape &shape) {
  auto body = [&](KernelBuilder &b) {
    b.tasks([&](Value head) {
      b.loop(b.index(0), b.rows(), 1, [&](Value position) {
        b.columns(shape.headDim, [&](Value i, int64_t count) {
          Value x = b.load(b.pointer(0), {head, position, i}, count, b.lanes());
          b.store(x, b.pointer(1), {head, position, i}, count);
        });
      });
    });
  };
  int64_t plane[] = {shape.heads, shape.context, shape.headDim};
  Type f32 = Float32Type::get(getContext());
  return {
      get("widen_cache_" + cacheName(shape),
          {MemRefType::get(plane, shape.element), MemRefType::get(plane, f32)},
          body),
      /*tasks=*/shape.heads, /*perRow=*/false};
}

Kernel KernelLibrary::attention(const AttentionShape &shape) {
  int64_t cols = shape.heads * shape.cache.headDim;
  std::string name = llvm::formatv("attention_h{0}_{1}_s{2}", shape.heads,
                                   cacheName(shape.cache), nameOf(shape.scale));
  if (shape.window)
    name += "_w" + std::to_string(*shape.window);
  return {get(name, {f32Rows(cols), cacheType(shape.cache), f32Rows(cols)},
              [&](KernelBuilder &b) { AttentionEmitter(b, shape).emit(); }),
          /*tasks=*/shape.heads, /*perRow=*/true};
}

} // namespace pmpd::codegen
