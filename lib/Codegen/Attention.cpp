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
    int64_t size = 0;
    auto part = [&](int64_t rows, int64_t cols) {
      Part part = {size, cols};
      size += rows * cols;
      return part;
    };
    output = part(queries, headDim);
    weights = part(queries, positions);
    sums = part(queries, width);
    query = part(queries, headDim);
    keys = part(positions, headDim);
    values = part(positions, headDim);
    memory = b.scratch({size}, b.getF32Type());
    b.tasks([&](Value task) {
      Value firstRow = b.mul(b.div(task, shape.cache.heads), rowTile(shape));
      kvHead = b.rem(task, shape.cache.heads);
      Value rows = b.min(b.sub(b.rows(), firstRow), rowTile(shape));
      forEachQuery(firstRow, b.index(0), rows,
                   [&](const Query &q) { begin(q); });

      Value firstPosition = b.add(b.position(), firstRow);
      Value end = b.add(firstPosition, rows);
      b.loop(beginOf(end), end, positions, [&](Value block) {
        loadBlock(block, b.sub(end, b.index(1)));
        // Rows before this one end before the block.
        Value first =
            arith::MaxSIOp::create(b, b.sub(block, firstPosition), b.index(0));
        // Three short loops: the CPU works on several queries at once, where
        // each of them would wait for its own sums and exponentials.
        forEachQuery(firstRow, first, rows, [&](const Query &q) {
          Value seen =
              b.add(b.sub(b.add(firstPosition, q.rowInTile), block), 1);
          for (int64_t i = 0; i < positions; i += width)
            store(visible(seen, i, scores(q.index, i), lowest), weights,
                  q.index, i, width);
        });
        forEachQuery(firstRow, first, rows, [&](const Query &q) {
          Value seen =
              b.add(b.sub(b.add(firstPosition, q.rowInTile), block), 1);
          exponentiate(q.index, seen);
        });
        forEachQuery(firstRow, first, rows,
                     [&](const Query &q) { addValues(q.index); });
      });
      forEachQuery(firstRow, b.index(0), rows,
                   [&](const Query &q) { finish(q); });
    });
  }

private:
  /// Rows of scratch memory.
  struct Part {
    int64_t begin = 0, cols = 0;
  };

  /// In a block: enough to hide the latency of a softmax, few enough for the
  /// L1 cache.
  static constexpr int64_t positions = 32;
  static constexpr double lowest = std::numeric_limits<float>::lowest();

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
      store(arith::MulFOp::create(b, x, scale), query, q.index, c * width,
            width);
      store(b.splat(0.0, width), output, q.index, c * width, width);
    }
    setSum(q.index, Largest, b.real(lowest));
    setSum(q.index, Total, b.real(0));
  }

  void finish(const Query &q) {
    Value total = b.splat(sum(q.index, Total), width);
    for (unsigned c = 0; c < chunks; ++c)
      b.store(arith::DivFOp::create(b, load(output, q.index, c * width), total),
              b.pointer(2), {q.row, b.add(q.firstCol, c * width)}, width);
  }

  Value beginOf(Value end) {
    return shape.window ? b.sub(end, b.min(end, *shape.window)) : b.index(0);
  }

  /// What lies behind the last position may be anything: that position is read
  /// in its place.
  void loadBlock(Value block, Value last) {
    b.loop(b.index(0), b.index(positions), 1, [&](Value i) {
      Value position = arith::MinUIOp::create(b, b.add(block, i), last);
      for (auto [plane, place] : {std::pair(Keys, keys), {ValuesPlane, values}})
        for (unsigned c = 0; c < chunks; ++c)
          store(b.load(b.pointer(1),
                       {b.index(plane), kvHead, position, b.index(c * width)},
                       width, width),
                place, i, c * width, width);
    });
  }

  /// Scores of `width` positions of the block from `first` on, one in each
  /// lane.
  Value scores(Value index, int64_t first) {
    Values products(width);
    for (unsigned c = 0; c < chunks; ++c) {
      Value q = load(query, index, c * width);
      for (unsigned i = 0; i < width; ++i) {
        Value key = load(keys, b.index(first + i), c * width);
        products[i] =
            c ? b.fma(q, key, products[i]) : arith::MulFOp::create(b, q, key);
      }
    }
    return b.sumsOf(products);
  }

  /// `vector` at those of its positions, from `first` on, that are among the
  /// `seen` first of the block.
  Value visible(Value seen, int64_t first, Value vector, double otherwise) {
    Value mask =
        vector::CreateMaskOp::create(b, b.vectorOf(b.getI1Type(), width),
                                     ValueRange{b.sub(seen, b.index(first))});
    return arith::SelectOp::create(b, mask, vector, b.splat(otherwise, width));
  }

  /// Makes weights of a query's scores, relative to the largest score so far.
  void exponentiate(Value index, Value seen) {
    Values score;
    for (int64_t i = 0; i < positions; i += width)
      score.push_back(load(weights, index, i));
    Value highest = combine(score, [&](Value x, Value y) -> Value {
      return arith::MaxNumFOp::create(b, x, y);
    });
    Value before = sum(index, Largest);
    Value largest = arith::MaxNumFOp::create(b, before, b.maxOf(highest));
    for (auto [i, each] : llvm::enumerate(score)) {
      Value power = arith::SubFOp::create(b, each, b.splat(largest, width));
      each = visible(seen, i * width, math::ExpOp::create(b, power), 0.0);
      store(each, weights, index, i * width, width);
    }
    Value added = b.sumOf(combine(score, [&](Value x, Value y) -> Value {
      return arith::AddFOp::create(b, x, y);
    }));
    Value power = b.splat(arith::SubFOp::create(b, before, largest), width);
    Value rescale = b.extract(math::ExpOp::create(b, power), 0);
    setSum(index, Largest, largest);
    setSum(index, Rescale, rescale);
    Value kept = arith::MulFOp::create(b, sum(index, Total), rescale);
    setSum(index, Total, arith::AddFOp::create(b, kept, added));
  }

  /// Adds the weighted values to a query's output, in two chains of additions.
  /// From memory, a weight is broadcast by the multiplication itself.
  void addValues(Value index) {
    Value rescale = b.splat(sum(index, Rescale), width);
    for (unsigned c = 0; c < chunks; ++c) {
      Value chains[] = {
          arith::MulFOp::create(b, load(output, index, c * width), rescale),
          b.splat(0.0, width)};
      for (int64_t i = 0; i < positions; ++i) {
        Value weight = loadScalar(weights, index, i);
        chains[i % 2] =
            b.fma(b.splat(weight, width), load(values, b.index(i), c * width),
                  chains[i % 2]);
      }
      store(arith::AddFOp::create(b, chains[0], chains[1]), output, index,
            c * width, width);
    }
  }

  static Value combine(Values vectors,
                       llvm::function_ref<Value(Value, Value)> two) {
    Value all = vectors[0];
    for (Value each : ArrayRef<Value>(vectors).drop_front())
      all = two(all, each);
    return all;
  }

  enum Sum { Largest = 0, Total = 1, Rescale = 2 };
  Value sum(Value index, Sum which) { return loadScalar(sums, index, which); }
  void setSum(Value index, Sum which, Value value) {
    store(b.splat(value, 1), sums, index, which, 1);
  }

  Value at(const Part &part, Value row, int64_t col) {
    return b.add(b.mul(row, part.cols), part.begin + col);
  }
  Value load(const Part &part, Value row, int64_t col) {
    return b.load(memory, {at(part, row, col)}, width, width);
  }
  Value loadScalar(const Part &part, Value row, int64_t col) {
    return b.loadScalar(memory, {at(part, row, col)});
  }
  void store(Value vector, const Part &part, Value row, int64_t col,
             int64_t count) {
    b.store(vector, memory, {at(part, row, col)}, count);
  }

  KernelBuilder &b;
  const AttentionShape &shape;
  unsigned width;  // of a chunk of a head; divides the positions of a block
  int64_t shared;  // heads of the query that read one head of the cache
  unsigned chunks; // in a head
  Value kvHead;
  // Scratch memory of a task, f32. What is written for a query and what all of
  // them read are parts of one buffer, the former first: of separate ones LLVM
  // would load keys and values once for all queries, into registers that there
  // are not.
  Value memory;
  Part output;       // [queries, headDim], weighted sums of values
  Part weights;      // [queries, positions], scores before
  Part sums;         // [queries, Sum]
  Part query;        // [queries, headDim], scaled
  Part keys, values; // [positions, headDim]
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
