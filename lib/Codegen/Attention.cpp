// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Codegen/CpuKernels.h"
#include "pmpd/layout.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"

#include <limits>

using namespace mlir;

namespace pmpd::codegen {
namespace {

enum CachePlane { Keys = 0, ValuesPlane = 1 };

/// Softmax over positions as they come, in blocks: the sums are kept relative
/// to the largest score so far and rescaled when it grows.
///
///     for block of positions: convert its keys and values to f32 once
///       for row of the tile, for team of heads that reads this head of the
///       cache: scores, exponentials, weighted sum of values
///
/// A vector has `depth` lanes for each head of a team. Over a head's elements
/// they are partial sums of one score, then they are scores of `depth`
/// positions; so softmax needs no sums across a vector but those of a score,
/// and none at all where there are as many heads as lanes.
///
/// A position that a row may not see weighs nothing in its block, so a row's
/// result does not depend on the rows beside it.
class AttentionEmitter {
public:
  AttentionEmitter(KernelBuilder &b, const AttentionShape &shape)
      : b(b), shape(shape), headDim(shape.cache.headDim), width(b.lanes()),
        shared(shape.heads / shape.cache.heads) {
    while (headDim % width)
      width /= 2;
    lanesOfTeam = std::min<int64_t>(width, llvm::PowerOf2Ceil(shared));
    depth = width / lanesOfTeam;
    teams = llvm::divideCeil(shared, lanesOfTeam);
    headsOfTeam = std::min(shared, lanesOfTeam);
    lines = positions / depth;
  }

  /// Rows of a task: enough queries to pay for the conversion of a block. Rows
  /// of a window begin at different positions.
  static int64_t rowTile(const AttentionShape &shape) {
    constexpr int64_t queries = 16;
    int64_t shared = shape.heads / shape.cache.heads;
    return shape.window ? 1 : std::max<int64_t>(1, queries / shared);
  }

  void emit() {
    int64_t count = rowTile(shape) * teams;
    int64_t size = 0;
    auto part = [&](int64_t rows, int64_t cols) {
      Part part = {size, cols};
      size += rows * cols;
      return part;
    };
    output = part(count * headsOfTeam, headDim);
    weights = part(count, lines * width);
    sums = part(count, SumCount * width);
    query = part(count, headDim * lanesOfTeam);
    keys = part(positions, headDim);
    values = part(positions, headDim);
    memory = b.scratch({size}, b.getF32Type());
    b.tasks([&](Value task) {
      Value firstRow = b.mul(b.div(task, shape.cache.heads), rowTile(shape));
      kvHead = b.rem(task, shape.cache.heads);
      Value rows = b.min(b.sub(b.rows(), firstRow), rowTile(shape));
      forEachTeam(firstRow, b.index(0), rows, [&](const Team &t) { begin(t); });

      Value firstPosition = b.add(b.position(), firstRow);
      Value end = b.add(firstPosition, rows);
      b.loop(beginOf(end), end, positions, [&](Value block) {
        loadBlock(block, b.sub(end, b.index(1)));
        // Rows before this one end before the block.
        Value first =
            arith::MaxSIOp::create(b, b.sub(block, firstPosition), b.index(0));
        // Three short loops: the CPU works on several teams at once, where
        // each of them would wait for its own sums and exponentials.
        forEachTeam(firstRow, first, rows, [&](const Team &t) {
          scores(t, b.mul(first, teams), b.add(block, positions));
        });
        forEachTeam(firstRow, first, rows, [&](const Team &t) {
          Value seen =
              b.add(b.sub(b.add(firstPosition, t.rowInTile), block), 1);
          exponentiate(t, seen);
        });
        forEachTeam(firstRow, first, rows,
                    [&](const Team &t) { addValues(t); });
      });
      forEachTeam(firstRow, b.index(0), rows,
                  [&](const Team &t) { finish(t); });
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
  /// With fewer heads to a team a block is computed in less time than its lines
  /// take to come, and requests only stand in the way.
  static constexpr int64_t prefetchedDepth = 2;
  static constexpr double lowest = std::numeric_limits<float>::lowest();

  /// A row and a team, and where they are in the scratch memory of the task.
  struct Team {
    Value row, rowInTile, index;
    Value firstHead; // of those that share the head of the cache
  };

  void forEachTeam(Value firstRow, Value begin, Value end,
                   llvm::function_ref<void(const Team &)> body) {
    b.loop(begin, end, 1, [&](Value row) {
      b.loop(b.index(0), b.index(teams), 1, [&](Value team) {
        body({b.add(firstRow, row), row, b.add(b.mul(row, teams), team),
              b.mul(team, lanesOfTeam)});
      });
    });
  }

  /// For each head of a team, which may be the last and smaller: its place in
  /// the team and its first column of an activation row.
  void forEachHead(const Team &team,
                   llvm::function_ref<void(Value, Value)> body) {
    Value count = b.min(b.sub(b.index(shared), team.firstHead), lanesOfTeam);
    b.loop(b.index(0), count, 1, [&](Value head) {
      Value whole = b.add(b.add(b.mul(kvHead, shared), team.firstHead), head);
      body(head, b.mul(whole, headDim));
    });
  }

  /// Scales the queries and lays them out as `scores` reads them.
  void begin(const Team &team) {
    Value zero = b.splat(0.0, width);
    forSteps(headDim * lanesOfTeam, width,
             [&](Value col) { store(zero, query, team.index, col, width); });
    // Scores are logarithms to base 2.
    Value scale = b.splat(shape.scale * llvm::numbers::log2e, depth);
    forEachHead(team, [&](Value head, Value firstCol) {
      forSteps(headDim, depth, [&](Value i) {
        Value x =
            b.load(b.pointer(0), {team.row, b.add(firstCol, i)}, depth, depth);
        store(arith::MulFOp::create(b, x, scale), query, team.index,
              b.add(b.mul(i, lanesOfTeam), b.mul(head, depth)), depth);
      });
      forSteps(headDim, width, [&](Value i) {
        store(zero, output, outputRow(team, head), i, width);
      });
    });
    setSum(team, Largest, b.splat(lowest, width));
    setSum(team, Total, zero);
  }

  void finish(const Team &team) {
    Value total = acrossDepth(sum(team, Total), add);
    setSum(team, Total, total);
    forEachHead(team, [&](Value head, Value firstCol) {
      Value total = b.splat(sumOfHead(team, head, Total), width);
      forSteps(headDim, width, [&](Value i) {
        Value x = load(output, outputRow(team, head), i);
        b.store(arith::DivFOp::create(b, x, total), b.pointer(2),
                {team.row, b.add(firstCol, i)}, width);
      });
    });
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
        for (int64_t c = 0; c < headDim; c += width)
          store(b.load(b.pointer(1),
                       {b.index(plane), kvHead, position, b.index(c)}, width,
                       width),
                place, i, b.index(c), width);
    });
  }

  /// Writes the scores of a block, a line for every `depth` positions. As many
  /// sums as hide the latency of a multiplication.
  void scores(const Team &team, Value firstTeam, Value nextBlock) {
    int64_t count = std::max<int64_t>(width, 8);
    forSteps(positions, count, [&](Value first) {
      auto addProducts = [&](Value i, ValueRange sums) {
        if (depth <= prefetchedDepth)
          b.doIf(arith::CmpIPredicate::eq, team.index, firstTeam, [&] {
            prefetch(b.add(nextBlock, first), b.mul(i, count), count * depth);
          });
        Values next;
        Value q = load(query, team.index, b.mul(i, lanesOfTeam));
        for (auto [p, sum] : llvm::enumerate(sums)) {
          Value key =
              b.load(memory, {at(keys, b.add(first, p), i)}, depth, depth);
          next.push_back(b.fma(q, repeat(key), sum));
        }
        return next;
      };
      Values sums = b.loop(b.index(0), b.index(headDim), depth,
                           Values(count, b.splat(0.0, width)), addProducts);
      for (int64_t p = 0; p < count; p += depth)
        store(b.sumsOf(Values(ArrayRef(sums).slice(p, depth))), weights,
              team.index, b.mul(b.add(first, p), lanesOfTeam), width);
    });
  }

  /// Asks for `count` elements of both planes, while the first team computes: a
  /// block is too short for the hardware to foresee the next one, and a burst
  /// of requests would fill its queue.
  void prefetch(Value position, Value offset, int64_t count) {
    Type element = shape.cache.element;
    int64_t line = PMPD_LINE_BYTES * 8 / element.getIntOrFloatBitWidth();
    for (CachePlane plane : {Keys, ValuesPlane})
      for (int64_t i = 0; i < count; i += line)
        memref::PrefetchOp::create(
            b, b.pointer(1),
            ValueRange{b.index(plane), kvHead, position, b.add(offset, i)},
            /*isWrite=*/false, /*localityHint=*/3, /*isDataCache=*/true);
  }

  /// `depth` elements for each head of a team.
  Value repeat(Value vector) {
    if (depth == 1)
      return b.splat(b.extract(vector, 0), width);
    return vector::ShuffleOp::create(
        b, vector, vector,
        forLanes([&](int64_t lane) { return lane % depth; }));
  }

  /// The scores of a line of positions, as low as can be from `end` on.
  Value visible(Value scores, Value position, Value end) {
    Value place = arith::ConstantOp::create(
        b, b.getI32VectorAttr(
               forLanes<int32_t>([&](int64_t lane) { return lane % depth; })));
    Value left =
        arith::IndexCastOp::create(b, b.getI32Type(), b.sub(end, position));
    Value mask = arith::CmpIOp::create(b, arith::CmpIPredicate::slt, place,
                                       b.splat(left, width));
    return arith::SelectOp::create(b, mask, scores, b.splat(lowest, width));
  }

  /// Makes weights of a team's scores, relative to the largest so far.
  void exponentiate(const Team &team, Value seen) {
    Value before = sum(team, Largest);
    Value highest =
        forLines(before, [&](Value position, Value col, Value highest) {
          Value score = visible(load(weights, team.index, col), position, seen);
          store(score, weights, team.index, col, width);
          return max(b, highest, score);
        });
    Value largest = acrossDepth(highest, max);
    Value rescale = exp2(arith::SubFOp::create(b, before, largest));
    setSum(team, Largest, largest);
    setSum(team, Rescale, rescale);
    Value kept = arith::MulFOp::create(b, sum(team, Total), rescale);
    setSum(team, Total, forLines(kept, [&](Value, Value col, Value total) {
             Value score = load(weights, team.index, col);
             Value power = exp2(arith::SubFOp::create(b, score, largest));
             store(power, weights, team.index, col, width);
             return add(b, total, power);
           }));
  }

  /// 2^x for x <= 0, within 2e-7 of it; 0 below the least normal number.
  Value exp2(Value x) {
    // Adding it leaves the integer next to x in the low bits.
    Value magic = b.splat(0x1.8p23, width);
    Value rounded = add(b, x, magic);
    Value r =
        arith::SubFOp::create(b, x, arith::SubFOp::create(b, rounded, magic));
    // The minimax polynomial on [-0.5, 0.5] that is 1 at 0.
    Value power = b.splat(0.00132647273, width);
    for (double c :
         {0.00967151299, 0.0555073358, 0.240222424, 0.693147004, 1.0})
      power = b.fma(power, r, b.splat(c, width));
    VectorType ints = b.vectorOf(b.getI32Type(), width);
    Value exponent = arith::ShLIOp::create(
        b, arith::BitcastOp::create(b, ints, rounded), b.splatInt(23, width));
    power = arith::BitcastOp::create(
        b, x.getType(),
        arith::AddIOp::create(b, arith::BitcastOp::create(b, ints, power),
                              exponent));
    Value isNormal = arith::CmpFOp::create(b, arith::CmpFPredicate::UGT, x,
                                           b.splat(-126.0, width));
    return arith::SelectOp::create(b, isNormal, power, b.splat(0.0, width));
  }

  /// Adds the weighted values to the team's outputs, as many at a time as half
  /// of the registers hold.
  void addValues(const Team &team) {
    int64_t registers = b.lanes() == 16 ? 16 : 8;
    int64_t cols = std::min<int64_t>(headDim / width, 4);
    int64_t heads = registers / 4;
    for (int64_t head = 0; head < headsOfTeam; head += heads)
      for (int64_t col = 0; col < headDim / width; col += cols)
        addValues(team, head, std::min(headsOfTeam - head, heads), col,
                  std::min(headDim / width - col, cols));
  }

  /// In as many chains of additions as are needed to keep the CPU busy.
  void addValues(const Team &team, int64_t firstHead, int64_t heads,
                 int64_t firstChunk, int64_t chunks) {
    int64_t count = heads * chunks;
    int64_t chains = std::clamp<int64_t>(8 / count, 1, depth);
    Values init;
    for (int64_t head = 0; head < heads; ++head) {
      Value index = b.index(firstHead + head);
      Value rescale = b.splat(sumOfHead(team, index, Rescale), width);
      for (int64_t c = 0; c < chunks; ++c)
        init.push_back(arith::MulFOp::create(
            b, load(output, outputRow(team, index), chunk(firstChunk + c)),
            rescale));
    }
    init.append((chains - 1) * count, b.splat(0.0, width));
    auto body = [&](Value first, ValueRange sums) {
      Values next(sums);
      Value col = b.mul(first, lanesOfTeam);
      for (int64_t i = 0; i < depth; ++i) {
        Values vectors;
        for (int64_t c = 0; c < chunks; ++c)
          vectors.push_back(
              load(values, b.add(first, i), chunk(firstChunk + c)));
        for (int64_t head = 0; head < heads; ++head) {
          Value weight =
              b.splat(loadScalar(weights, team.index,
                                 b.add(col, (firstHead + head) * depth + i)),
                      width);
          for (int64_t c = 0; c < chunks; ++c) {
            Value &sum = next[i % chains * count + head * chunks + c];
            sum = b.fma(weight, vectors[c], sum);
          }
        }
      }
      return next;
    };
    Values sums = b.loop(b.index(0), b.index(positions), depth, init, body);
    for (int64_t i = 0; i < count; ++i) {
      Value sum = sums[i];
      for (int64_t chain = 1; chain < chains; ++chain)
        sum = add(b, sum, sums[chain * count + i]);
      store(sum, output, outputRow(team, b.index(firstHead + i / chunks)),
            chunk(firstChunk + i % chunks), width);
    }
  }

  void forSteps(int64_t count, int64_t step,
                llvm::function_ref<void(Value)> body) {
    b.loop(b.index(0), b.index(count), step, body);
  }

  /// For every line of weights: its first position and its column.
  Value forLines(Value init,
                 llvm::function_ref<Value(Value, Value, Value)> body) {
    return b.loop(
        b.index(0), b.index(positions), depth, init,
        [&](Value position, ValueRange carried) -> Values {
          return {body(position, b.mul(position, lanesOfTeam), carried[0])};
        })[0];
  }

  template <typename T = int64_t>
  SmallVector<T> forLanes(llvm::function_ref<int64_t(int64_t)> value) {
    SmallVector<T> values;
    for (int64_t lane = 0; lane < width; ++lane)
      values.push_back(value(lane));
    return values;
  }

  static Value add(KernelBuilder &b, Value x, Value y) {
    return arith::AddFOp::create(b, x, y);
  }
  static Value max(KernelBuilder &b, Value x, Value y) {
    Value isLess = arith::CmpFOp::create(b, arith::CmpFPredicate::OLT, x, y);
    return arith::SelectOp::create(b, isLess, y, x);
  }
  /// Combines the lanes of each head; all of them get the result.
  Value acrossDepth(Value vector, Value (*two)(KernelBuilder &, Value, Value)) {
    for (int64_t bit = 1; bit < depth; bit *= 2) {
      auto other = forLanes([&](int64_t lane) { return lane ^ bit; });
      vector =
          two(b, vector, vector::ShuffleOp::create(b, vector, vector, other));
    }
    return vector;
  }

  enum Sum { Largest, Total, Rescale, SumCount };
  Value sum(const Team &team, Sum which) {
    return load(sums, team.index, b.index(which * width));
  }
  void setSum(const Team &team, Sum which, Value vector) {
    store(vector, sums, team.index, b.index(which * width), width);
  }
  Value sumOfHead(const Team &team, Value head, Sum which) {
    return loadScalar(sums, team.index,
                      b.add(b.mul(head, depth), which * width));
  }

  Value outputRow(const Team &team, Value head) {
    return b.add(b.mul(team.index, headsOfTeam), head);
  }
  Value chunk(int64_t i) { return b.index(i * width); }

  Value at(const Part &part, Value row, Value col) {
    return b.add(b.add(b.mul(row, part.cols), col), part.begin);
  }
  Value load(const Part &part, Value row, Value col) {
    return b.load(memory, {at(part, row, col)}, width, width);
  }
  Value loadScalar(const Part &part, Value row, Value col) {
    return b.loadScalar(memory, {at(part, row, col)});
  }
  void store(Value vector, const Part &part, Value row, Value col,
             int64_t count) {
    b.store(vector, memory, {at(part, row, col)}, count);
  }

  KernelBuilder &b;
  const AttentionShape &shape;
  int64_t headDim;
  int64_t width;  // of vectors; divides the positions of a block
  int64_t shared; // heads of the query that read one head of the cache
  int64_t teams;  // that these make up
  int64_t lanesOfTeam, headsOfTeam; // the former a power of two
  int64_t depth;                    // lanes of a head
  int64_t lines;                    // vectors of weights of a block
  Value kvHead;
  // Scratch memory of a task, f32. What is written for a query and what all of
  // them read are parts of one buffer, the former first: of separate ones LLVM
  // would load keys and values once for all queries, into registers that there
  // are not.
  Value memory;
  Part output;       // [queries, headDim], weighted sums of values
  Part weights;      // [teams, lines * width], scores before
  Part sums;         // [teams, SumCount * width]
  Part query;        // [teams, headDim / depth * width], scaled
  Part keys, values; // [positions, headDim]
};

MemRefType cacheType(const CacheShape &shape) {
  return MemRefType::get({2, shape.heads, shape.context, shape.headDim},
                         shape.element);
}

} // namespace

Kernel CpuKernels::kvAppend(const CacheShape &shape) {
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
  return {get("kv_append_" + nameOf(shape),
              {f32Rows(cols), f32Rows(cols), cacheType(shape)}, body),
          /*tasks=*/1, /*rowTile=*/1};
}

Kernel CpuKernels::widenCache(const CacheShape &shape) {
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
      get("widen_cache_" + nameOf(shape),
          {MemRefType::get(plane, shape.element), MemRefType::get(plane, f32)},
          body),
      /*tasks=*/shape.heads, /*rowTile=*/0};
}

AttentionKernels CpuKernels::attention(const AttentionShape &shape) {
  int64_t cols = shape.heads * shape.cache.headDim;
  std::string name = llvm::formatv("attention_h{0}_{1}_s{2}", shape.heads,
                                   nameOf(shape.cache), nameOf(shape.scale));
  if (shape.window)
    name += "_w" + std::to_string(*shape.window);
  return {{get(name, {f32Rows(cols), cacheType(shape.cache), f32Rows(cols)},
               [&](KernelBuilder &b) { AttentionEmitter(b, shape).emit(); }),
           /*tasks=*/shape.cache.heads, AttentionEmitter::rowTile(shape)}};
}

} // namespace pmpd::codegen
