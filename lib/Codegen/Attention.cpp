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

/// Softmax over positions as they come, in blocks: the sums are kept relative
/// to the largest score so far and rescaled when it grows.
///
///     for block of positions: convert its keys and values to f32 once
///       for row of the tile, for head that reads this head of the cache:
///         scores, exponentials, weighted sum of values
///
/// A position that a row may not see weighs nothing in its block, so a row's
/// result does not depend on the rows beside it.
class AttentionEmitter {
public:
  AttentionEmitter(KernelBuilder &b, const AttentionShape &shape)
      : b(b), shape(shape), width(b.lanes()),
        shared(shape.heads / shape.cache.heads) {
    while (shape.cache.headDim % width)
      width /= 2;
    chunks = shape.cache.headDim / width;
  }

  /// Rows of a task: enough queries to pay for the conversion of a block. Rows
  /// of a window begin at different positions.
  static int64_t rowTile(const AttentionShape &shape) {
    constexpr int64_t queries = 16;
    int64_t shared = shape.heads / shape.cache.heads;
    return shape.window ? 1 : std::max<int64_t>(1, queries / shared);
  }

  void emit() {
    int64_t headDim = shape.cache.headDim;
    int64_t queries = rowTile(shape) * shared;
    keys = b.scratch({width, headDim}, b.getF32Type());
    values = b.scratch({width, headDim}, b.getF32Type());
    query = b.scratch({queries, headDim}, b.getF32Type());
    output = b.scratch({queries, headDim}, b.getF32Type());
    sums = b.scratch({queries, 2}, b.getF32Type());
    weights = b.scratch({width}, b.getF32Type());
    b.tasks([&](Value task) {
      Value firstRow = b.mul(b.div(task, shape.cache.heads), rowTile(shape));
      kvHead = b.rem(task, shape.cache.heads);
      Value rows = b.min(b.sub(b.rows(), firstRow), rowTile(shape));
      forEachQuery(firstRow, b.index(0), rows,
                   [&](const Query &q) { begin(q); });

      Value firstPosition = b.add(b.position(), firstRow);
      Value end = b.add(firstPosition, rows);
      b.loop(beginOf(end), end, width, [&](Value block) {
        loadBlock(block, b.sub(end, b.index(1)));
        // Rows before this one end before the block.
        Value first =
            arith::MaxSIOp::create(b, b.sub(block, firstPosition), b.index(0));
        forEachQuery(firstRow, first, rows, [&](const Query &q) {
          Value seen =
              b.add(b.sub(b.add(firstPosition, q.rowInTile), block), 1);
          attend(q.index, seen);
        });
      });
      forEachQuery(firstRow, b.index(0), rows,
                   [&](const Query &q) { finish(q); });
    });
  }

private:
  /// A row and a head, and where they are in the scratch memory of the task.
  struct Query {
    Value row, rowInTile, firstCol, index;
  };

  void forEachQuery(Value firstRow, Value begin, Value end,
                    llvm::function_ref<void(const Query &)> body) {
    b.loop(begin, end, 1, [&](Value row) {
      b.loop(b.index(0), b.index(shared), 1, [&](Value head) {
        Value whole = b.add(b.mul(kvHead, shared), head);
        body({b.add(firstRow, row), row, b.mul(whole, shape.cache.headDim),
              b.add(b.mul(row, shared), head)});
      });
    });
  }

  void begin(const Query &q) {
    Value scale = b.splat(shape.scale, width);
    for (unsigned c = 0; c < chunks; ++c) {
      Value x = b.load(b.pointer(0), {q.row, b.add(q.firstCol, c * width)},
                       width, width);
      storeChunk(query, q.index, c, arith::MulFOp::create(b, x, scale));
      storeChunk(output, q.index, c, b.splat(0.0, width));
    }
    setSum(q.index, Largest, b.real(std::numeric_limits<float>::lowest()));
    setSum(q.index, Total, b.real(0));
  }

  void finish(const Query &q) {
    Value total = b.splat(sum(q.index, Total), width);
    for (unsigned c = 0; c < chunks; ++c)
      b.store(arith::DivFOp::create(b, loadChunk(output, q.index, c), total),
              b.pointer(2), {q.row, b.add(q.firstCol, c * width)}, width);
  }

  Value beginOf(Value end) {
    return shape.window ? b.sub(end, b.min(end, *shape.window)) : b.index(0);
  }

  /// What lies behind the last position may be anything: that position is read
  /// in its place.
  void loadBlock(Value block, Value last) {
    b.loop(b.index(0), b.index(width), 1, [&](Value i) {
      Value position = arith::MinUIOp::create(b, b.add(block, i), last);
      for (auto [plane, place] : {std::pair(Keys, keys), {ValuesPlane, values}})
        for (unsigned c = 0; c < chunks; ++c)
          storeChunk(
              place, i, c,
              b.load(b.pointer(1),
                     {b.index(plane), kvHead, position, b.index(c * width)},
                     width, width));
    });
  }

  /// Scores of the positions of the block, one in each lane.
  Value scores(Value index) {
    Values products(width);
    for (unsigned c = 0; c < chunks; ++c) {
      Value q = loadChunk(query, index, c);
      for (unsigned i = 0; i < width; ++i) {
        Value key = loadChunk(keys, b.index(i), c);
        products[i] =
            c ? b.fma(q, key, products[i]) : arith::MulFOp::create(b, q, key);
      }
    }
    return b.sumsOf(products);
  }

  /// Adds the first `seen` positions of the block to a query's sums.
  void attend(Value index, Value seen) {
    Value visible = vector::CreateMaskOp::create(
        b, b.vectorOf(b.getI1Type(), width), ValueRange{seen});
    auto where = [&](Value vector, double otherwise) -> Value {
      return arith::SelectOp::create(b, visible, vector,
                                     b.splat(otherwise, width));
    };
    Value score = where(scores(index), std::numeric_limits<float>::lowest());
    Value before = sum(index, Largest);
    Value largest = arith::MaxNumFOp::create(b, before, b.maxOf(score));
    Value weight =
        where(math::ExpOp::create(
                  b, arith::SubFOp::create(b, score, b.splat(largest, width))),
              0.0);
    Value rescale = math::ExpOp::create(
        b, b.splat(arith::SubFOp::create(b, before, largest), width));
    Value total =
        arith::MulFOp::create(b, sum(index, Total), b.extract(rescale, 0));
    setSum(index, Largest, largest);
    setSum(index, Total, arith::AddFOp::create(b, total, b.sumOf(weight)));
    // From memory, a weight is broadcast by the multiplication itself.
    b.store(weight, weights, {b.index(0)}, width);
    for (unsigned c = 0; c < chunks; ++c) {
      Value result =
          arith::MulFOp::create(b, loadChunk(output, index, c), rescale);
      for (unsigned i = 0; i < width; ++i)
        result = b.fma(b.splat(b.loadScalar(weights, {b.index(i)}), width),
                       loadChunk(values, b.index(i), c), result);
      storeChunk(output, index, c, result);
    }
  }

  enum Sum { Largest = 0, Total = 1 };
  Value sum(Value index, Sum which) {
    return b.loadScalar(sums, {index, b.index(which)});
  }
  void setSum(Value index, Sum which, Value value) {
    b.store(b.splat(value, 1), sums, {index, b.index(which)}, 1);
  }
  Value loadChunk(Value memory, Value index, unsigned chunk) {
    return b.load(memory, {index, b.index(chunk * width)}, width, width);
  }
  void storeChunk(Value memory, Value index, unsigned chunk, Value vector) {
    b.store(vector, memory, {index, b.index(chunk * width)}, width);
  }

  KernelBuilder &b;
  const AttentionShape &shape;
  unsigned width;  // of a chunk of a head, and positions in a block
  int64_t shared;  // heads of the query that read one head of the cache
  unsigned chunks; // in a head
  Value kvHead;
  // Scratch memory of a task, all f32.
  Value keys, values; // [width, headDim]
  Value query;        // [queries, headDim], scaled
  Value output;       // [queries, headDim], the weighted sum of values
  Value sums;         // [queries, 2: Largest score, Total of exponentials]
  Value weights;      // [width]
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
          /*tasks=*/1, /*rowTile=*/1};
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
      /*tasks=*/shape.heads, /*rowTile=*/0};
}

Kernel KernelLibrary::attention(const AttentionShape &shape) {
  int64_t cols = shape.heads * shape.cache.headDim;
  std::string name = llvm::formatv("attention_h{0}_{1}_s{2}", shape.heads,
                                   cacheName(shape.cache), nameOf(shape.scale));
  if (shape.window)
    name += "_w" + std::to_string(*shape.window);
  return {get(name, {f32Rows(cols), cacheType(shape.cache), f32Rows(cols)},
              [&](KernelBuilder &b) { AttentionEmitter(b, shape).emit(); }),
          /*tasks=*/shape.cache.heads, AttentionEmitter::rowTile(shape)};
}

} // namespace pmpd::codegen
