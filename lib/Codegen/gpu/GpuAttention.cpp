// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Codegen/gpu/AttentionBlock.h"
#include "lib/Codegen/gpu/GpuKernels.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;

namespace pmpd::codegen {
namespace {

constexpr int64_t warpSize = 32;
constexpr int64_t attentionThreads = 128;
constexpr int64_t warps = attentionThreads / warpSize;
constexpr int64_t combineThreads = 128;
/// Elements of a head that a lane holds at a time: 16 bytes of f16.
constexpr int64_t piece = 8;
/// Positions that a team of lanes works on at a time, for loads in flight.
constexpr int64_t unroll = 4;
/// Queries of a block, if a lane has one piece of each: what fits in registers.
constexpr int64_t maxQueries = 8;
/// Blocks that fill the GPUs that there are, and the fewest positions that are
/// worth a block.
constexpr int64_t targetBlocks = 264, leastPositions = 128;

/// Lanes that hold one row of the cache, a power of two.
int64_t teamOf(const AttentionShape &shape) {
  return std::min<int64_t>(
      llvm::PowerOf2Ceil(llvm::divideCeil(shape.cache.headDim, piece)),
      warpSize);
}
/// Pieces of a row in a lane.
int64_t piecesPerLane(const AttentionShape &shape) {
  return llvm::divideCeil(shape.cache.headDim, piece * teamOf(shape));
}

/// How attention is split into blocks, teams and lanes.
struct Split : AttentionQueries {
  explicit Split(const AttentionShape &shape)
      : AttentionQueries(
            shape, std::max<int64_t>(1, maxQueries / piecesPerLane(shape))),
        team(teamOf(shape)), perLane(piecesPerLane(shape)) {
    // Rows of a prefill are blocks enough.
    if (shape.maxRows == 1)
      splits = std::clamp<int64_t>(
          std::min(llvm::divideCeil(targetBlocks, headGroups(shape)),
                   llvm::divideCeil(shape.cache.context, leastPositions)),
          1, targetBlocks);
  }

  int64_t team, perLane;
  int64_t splits = 1; // blocks that share the positions of the same queries

  int64_t tasks(const AttentionShape &shape) const {
    return headGroups(shape) * splits;
  }
};

/// Softmax over positions as they come: the sums are kept relative to the
/// largest score so far and rescaled when it grows.
///
///     a block: some rows and heads that read one head of the cache, a split of
///              the positions
///       a team of lanes: every n-th position, a few at a time, each lane the
///                        same pieces of the head for all queries
///       sums of the teams of a warp by shuffles, of warps by shared memory
class AttentionEmitter : AttentionBlock {
public:
  AttentionEmitter(GpuKernelBuilder &b, const AttentionShape &shape,
                   const Split &split)
      : AttentionBlock(b, shape, split), split(split), f32(b.getF32Type()) {}

  void emit() {
    place();
    loadQueries();
    State state;
    for (int64_t q = 0; q < split.count(); ++q) {
      state.push_back(b.real(lowestReal));
      for (int64_t i = 0; i < 1 + elements(); ++i)
        state.push_back(b.real(0));
    }
    // All teams of a warp shuffle equally often.
    Value team = b.div(b.thread(), split.team);
    Values sums = b.loop(begin, end, b.constant(teams() * unroll), state,
                         [&](Value first, ValueRange before) {
                           return step(b.add(first, team), before);
                         });
    for (int64_t distance = split.team; distance < warpSize; distance *= 2)
      sums = addLanes(sums, distance);
    addWarps(sums);
  }

private:
  /// Of each query: the largest score, the sum of weights, the weighted sum of
  /// values.
  using State = Values;

  int64_t elements() { return split.perLane * piece; }
  int64_t perQuery() { return 2 + elements(); }
  int64_t teams() { return attentionThreads / split.team; }

  /// What this block and this lane work on.
  void place() {
    Value tile = b.div(b.block(), split.tasks(shape));
    Value task = b.rem(b.block(), split.tasks(shape));
    Value headGroup = b.div(task, split.splits);
    placeHeads(headGroup);
    Value firstRow = b.mul(tile, split.rows);
    Value lastRow = b.sub(b.rows(), b.constant(1));
    for (int64_t i = 0; i < split.rows; ++i) {
      rows.push_back(b.add(firstRow, i));
      // Rows behind the last work on that, and write nothing.
      rowRead.push_back(b.min(rows[i], lastRow));
      rowEnd.push_back(b.add(b.add(b.position(), rowRead[i]), 1));
      rowBegin.push_back(beginOf(rowEnd[i]));
    }
    lastPosition = b.sub(rowEnd.back(), b.constant(1));
    Value positions = b.sub(rowEnd.back(), rowBegin[0]);
    Value each = b.div(b.add(positions, split.splits - 1), split.splits);
    splitIndex = b.rem(task, split.splits);
    begin = b.add(rowBegin[0], b.mul(splitIndex, each));
    end = b.min(b.add(begin, each), rowEnd.back());

    Value lane = b.rem(b.thread(), split.team);
    for (int64_t i = 0; i < split.perLane; ++i) {
      Value first = b.add(b.mul(lane, piece), i * split.team * piece);
      Value within = b.less(first, b.constant(headDim));
      pieceHolds.push_back(within);
      pieceFirst.push_back(b.select(within, first, b.constant(0)));
    }
    values = b.at(keys, valuesOffset());
  }

  /// The elements of a piece as f32.
  void loadPiece(Type element, Value address, Values &into) {
    int64_t width = element.isF16() ? piece : piece / 2;
    for (int64_t i = 0; i < piece; i += width) {
      Value loaded = b.load(VectorType::get({width}, element),
                            b.at(address, i * sizeof(float)), 16);
      for (int64_t j = 0; j < width; ++j) {
        Value each = vector::ExtractOp::create(b, loaded, j);
        into.push_back(element.isF16() ? arith::ExtFOp::create(b, f32, each)
                                       : each);
      }
    }
  }

  /// This lane's pieces of a row of the cache.
  Values loadRow(Value plane, Value position) {
    Values result;
    Value row = cacheRow(plane, position);
    for (Value first : pieceFirst)
      loadPiece(shape.cache.element,
                b.at(row, b.mul(first, rowBytes() / headDim)), result);
    return result;
  }

  void loadQueries() {
    Value factor = scoreFactor();
    for (int64_t row = 0; row < split.rows; ++row)
      for (int64_t head = 0; head < split.heads; ++head) {
        Values loaded;
        for (Value first : pieceFirst)
          loadPiece(f32,
                    b.at(b.pointer(0),
                         queryOffset(rowRead[row], b.constant(head), first)),
                    loaded);
        for (auto [i, x] : llvm::enumerate(loaded))
          x = b.select(pieceHolds[i / piece], mul(b, x, factor), b.real(0));
        query.push_back(loaded);
      }
  }

  /// Positions first, first + teams, ... of this team.
  Values step(Value first, ValueRange before) {
    Values position, key[unroll], value[unroll];
    for (int64_t u = 0; u < unroll; ++u) {
      position.push_back(b.add(first, u * teams()));
      // What lies behind the last position may be anything.
      Value read = b.min(position[u], lastPosition);
      key[u] = loadRow(keys, read);
      value[u] = loadRow(values, read);
    }
    Values after;
    for (int64_t q = 0; q < split.count(); ++q) {
      ValueRange old = before.slice(q * perQuery(), perQuery());
      Values visible, score;
      Value largest = old[0];
      for (int64_t u = 0; u < unroll; ++u) {
        visible.push_back(isVisible(position[u], q / split.heads));
        score.push_back(b.select(visible[u], scoreOf(query[q], key[u]),
                                 b.real(lowestReal)));
        largest = max(b, largest, score[u]);
      }
      Value rescale = exp2OfDifference(b, old[0], largest);
      Value total = mul(b, old[1], rescale);
      Values sums;
      for (Value sum : old.drop_front(2))
        sums.push_back(mul(b, sum, rescale));
      for (int64_t u = 0; u < unroll; ++u) {
        Value weight = b.select(
            visible[u], exp2OfDifference(b, score[u], largest), b.real(0));
        total = add(b, total, weight);
        for (auto [sum, x] : llvm::zip(sums, value[u]))
          sum = b.fma(weight, x, sum);
      }
      after.append({largest, total});
      after.append(sums);
    }
    return after;
  }

  Value isVisible(Value position, int64_t row) {
    Value visible = b.less(position, b.min(end, rowEnd[row]));
    if (shape.window && row > 0)
      visible = arith::AndIOp::create(
          b, visible,
          arith::CmpIOp::create(b, arith::CmpIPredicate::uge, position,
                                rowBegin[row]));
    return visible;
  }

  Value scoreOf(ArrayRef<Value> query, ArrayRef<Value> key) {
    Value sum = mul(b, query[0], key[0]);
    for (size_t i = 1; i < query.size(); ++i)
      sum = b.fma(query[i], key[i], sum);
    for (int64_t distance = split.team / 2; distance > 0; distance /= 2)
      sum = add(b, sum, b.exchange(sum, distance));
    return sum;
  }

  /// Adds to every lane's sums those of the lane at a distance.
  Values addLanes(ValueRange own, int64_t distance) {
    Values result;
    for (int64_t q = 0; q < split.count(); ++q) {
      ValueRange mine = own.slice(q * perQuery(), perQuery());
      Values other;
      for (Value each : mine)
        other.push_back(b.exchange(each, distance));
      Value largest = max(b, mine[0], other[0]);
      Value myFactor = exp2OfDifference(b, mine[0], largest);
      Value otherFactor = exp2OfDifference(b, other[0], largest);
      result.push_back(largest);
      for (int64_t i = 1; i < perQuery(); ++i)
        result.push_back(
            b.fma(mine[i], myFactor, mul(b, other[i], otherFactor)));
    }
    return result;
  }

  /// Adds the sums of the warps, and writes them or what they make.
  void addWarps(ValueRange sums) {
    int64_t stride = headDim + 2; // values, then largest score and weights
    constexpr int64_t bytes = sizeof(float);
    Value memory = b.shared(warps * split.count() * stride * bytes);
    auto at = [&](Value warpAndQuery, Value i) {
      return b.at(memory, b.mul(b.add(b.mul(warpAndQuery, stride), i), bytes));
    };
    Value lane = b.lane();
    b.when(b.less(lane, b.constant(split.team)), [&] {
      for (int64_t q = 0; q < split.count(); ++q) {
        ValueRange own = sums.slice(q * perQuery(), perQuery());
        Value record = b.add(b.mul(b.warp(), split.count()), q);
        for (int64_t i = 0; i < split.perLane; ++i)
          b.when(pieceHolds[i], [&] {
            for (int64_t j = 0; j < piece; ++j)
              b.store(own[2 + i * piece + j],
                      at(record, b.add(pieceFirst[i], j)));
          });
        b.when(b.equal(lane, 0), [&] {
          b.store(own[0], at(record, b.constant(headDim)));
          b.store(own[1], at(record, b.constant(headDim + 1)));
        });
      }
    });
    b.barrier();
    for (int64_t row = 0; row < split.rows; ++row)
      b.when(b.less(rows[row], b.rows()), [&] {
        b.loop(
            b.thread(), b.constant(split.heads * headDim),
            b.constant(attentionThreads), [&](Value i) {
              Value head = b.div(i, headDim), col = b.rem(i, headDim);
              Value query = b.add(head, row * split.heads);
              Value largest = b.real(lowestReal), total, sum;
              auto of = [&](int64_t warp, Value i) {
                return b.load(f32, at(b.add(query, warp * split.count()), i));
              };
              for (int64_t warp = 0; warp < warps; ++warp)
                largest = max(b, largest, of(warp, b.constant(headDim)));
              for (int64_t warp = 0; warp < warps; ++warp) {
                Value factor =
                    exp2OfDifference(b, of(warp, b.constant(headDim)), largest);
                Value weights = of(warp, b.constant(headDim + 1));
                total = warp ? b.fma(factor, weights, total)
                             : mul(b, factor, weights);
                Value part = of(warp, col);
                sum = warp ? b.fma(factor, part, sum) : mul(b, factor, part);
              }
              write(rows[row], head, col, largest, total, sum);
            });
      });
  }

  void write(Value row, Value head, Value col, Value largest, Value total,
             Value sum) {
    Value wholeHead = b.add(firstHead, head);
    Value rowAndHead = b.add(b.mul(row, shape.heads), wholeHead);
    if (split.splits == 1) {
      b.store(arith::DivFOp::create(b, sum, total),
              b.at(b.pointer(2), b.mul(b.add(b.mul(rowAndHead, headDim), col),
                                       sizeof(float))));
      return;
    }
    Value record = b.add(b.mul(rowAndHead, split.splits), splitIndex);
    Value place =
        b.at(b.pointer(2), b.mul(record, (headDim + 2) * sizeof(float)));
    b.store(sum, b.at(place, b.mul(col, sizeof(float))));
    b.when(b.equal(col, 0), [&] {
      b.store(largest, b.at(place, headDim * sizeof(float)));
      b.store(total, b.at(place, (headDim + 1) * sizeof(float)));
    });
  }

  const Split &split;
  Type f32;
  Value splitIndex, values;
  Value begin, end, lastPosition; // positions of this block
  Values rows, rowRead;           // of the tile
  Values rowBegin, rowEnd;        // positions that a row sees
  Values pieceFirst, pieceHolds;  // of this lane: column, whether there is one
  SmallVector<Values> query;      // [queries][elements], scaled
};

/// Adds the partial results of the blocks that shared a row and a head.
void emitCombine(GpuKernelBuilder &b, int64_t headDim, int64_t splits) {
  constexpr int64_t bytes = sizeof(float);
  int64_t stride = (headDim + 2) * bytes;
  Type f32 = b.getF32Type();
  Value records = b.at(b.pointer(0), b.mul(b.block(), splits * stride));
  Value output = b.at(b.pointer(1), b.mul(b.block(), headDim * bytes));
  Value zero = b.constant(0), one = b.constant(1), count = b.constant(splits);
  auto of = [&](Value split, Value offset) {
    return b.load(f32, b.at(records, b.add(b.mul(split, stride), offset)));
  };
  Value largest = b.loop(
      zero, count, one, b.real(lowestReal),
      [&](Value split, ValueRange largest) -> Values {
        return {max(b, largest[0], of(split, b.constant(headDim * bytes)))};
      })[0];
  b.loop(b.thread(), b.constant(headDim), b.constant(combineThreads),
         [&](Value col) {
           Values sums = b.loop(
               zero, count, one, ValueRange{b.real(0), b.real(0)},
               [&](Value split, ValueRange sums) -> Values {
                 Value factor = exp2OfDifference(
                     b, of(split, b.constant(headDim * bytes)), largest);
                 Value weights = of(split, b.constant((headDim + 1) * bytes));
                 return {b.fma(factor, of(split, b.mul(col, bytes)), sums[0]),
                         b.fma(factor, weights, sums[1])};
               });
           b.store(arith::DivFOp::create(b, sums[0], sums[1]),
                   b.at(output, b.mul(col, bytes)));
         });
}

} // namespace

AttentionKernels GpuKernels::attention(const AttentionShape &shape) {
  auto name = [&](int64_t rows, std::string kind) {
    std::string name =
        llvm::formatv("attention_h{0}_{1}_s{2}_r{3}_{4}", shape.heads,
                      nameOf(shape.cache), nameOf(shape.scale), rows, kind);
    return shape.window ? name + "_w" + std::to_string(*shape.window) : name;
  };
  if (auto queries = attentionTilesQueries(shape))
    return {{get(name(queries->rows, "mma"), 3, attentionTilesThreads(*queries),
                 [&](GpuKernelBuilder &b) {
                   emitAttentionTiles(b, shape, *queries);
                 }),
             queries->headGroups(shape), queries->rows}};
  Split split(shape);
  AttentionKernels result{
      {get(name(split.rows, "p" + std::to_string(split.splits)), 3,
           attentionThreads,
           [&](GpuKernelBuilder &b) {
             AttentionEmitter(b, shape, split).emit();
           }),
       split.tasks(shape), split.rows}};
  if (split.splits == 1)
    return result;
  int64_t headDim = shape.cache.headDim;
  result.combine = Kernel{
      get(llvm::formatv("attention_combine_d{0}_p{1}", headDim, split.splits)
              .str(),
          2, combineThreads,
          [&](GpuKernelBuilder &b) { emitCombine(b, headDim, split.splits); }),
      shape.heads, /*rowTile=*/1};
  result.partialBytes =
      shape.heads * split.splits * (headDim + 2) * sizeof(float);
  return result;
}

} // namespace pmpd::codegen
