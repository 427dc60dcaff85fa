// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//   scores = (high + low of queries) * keys       m16n8k16 of f16, sums of f32
//   weights = 2^(scores - base)                   base: nearly the largest yet
//   sums = sums * 2^(old base - base) + (high + low of weights) * values
//
// A warp has 16 queries, and of them in registers the operands and the sums;
// keys and values go through shared memory, a tile of positions at a time, and
// serve all warps of the block.
#include "lib/Codegen/gpu/AttentionBlock.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include <array>
#include <cmath>

using namespace mlir;

namespace pmpd::codegen {
namespace {

constexpr int64_t warpSize = 32, warpQueries = 16, maxWarps = 4;
/// An MMA multiplies [16, depth] and [depth, columns].
constexpr int64_t depth = 16, columns = 8;
constexpr int64_t halfBytes = 2, runBytes = 16, run = runBytes / halfBytes;
/// Positions in shared memory at a time.
constexpr int64_t tile = 32;
/// Queries and sums of so many elements are half of a thread's registers.
constexpr int64_t maxHeadDim = 128;
/// The largest element of a scaled query is 2^14 to 2^15.
constexpr int64_t queryExponent = 14;
/// The least exponent field of a query's largest element that is scaled so;
/// what is smaller is scaled like it.
constexpr int64_t leastExponent = queryExponent + 1;
/// The largest weight is 2^7, or up to 2^8 where scores are too large for f32
/// to tell them apart.
constexpr double weightExponent = 7;

/// An operand of an MMA, or a part of one: f32 as sums of two f16, in pairs.
struct Halves {
  Values high, low;
};

class AttentionTiles : AttentionBlock {
public:
  AttentionTiles(GpuKernelBuilder &b, const AttentionShape &shape,
                 const AttentionQueries &queries)
      : AttentionBlock(b, shape, queries), f32(b.getF32Type()),
        halves(VectorType::get({2}, b.getF16Type())) {}

  void emit();

private:
  // The scores and the sums of a warp are in the layout of an MMA's result:
  // lane 4g + t has columns 8n + 2t and 8n + 2t + 1 of queries g and g + 8.
  static constexpr int64_t laneQueries = 2;
  int64_t steps() { return llvm::divideCeil(headDim, depth); }
  int64_t outputs() { return headDim / columns; }

  /// An odd number of runs, so that 8 rows of a matrix meet different banks.
  int64_t rowStride() { return (steps() * 2 + 1) * runBytes; }
  int64_t planeBytes() { return tile * rowStride(); }
  int64_t bufferBytes() { return 2 * planeBytes(); }

  void place();
  void loadQueries();
  void clearPadding();
  void copyTile(Value first, Value buffer);
  Values step(Value first, Value buffer, ValueRange before);
  SmallVector<Values> productsOf(Value buffer);
  Values addValues(const SmallVector<Values> &weights, Value buffer,
                   ValueRange before, const Values &rescale);
  void hide(Value first, SmallVector<Values> &scores);
  void write(ValueRange state);

  Halves split(Value x, Value y);
  Values loadMatrices(Value address, bool transposed);
  void addProduct(Values &sums, const Values &a, Value b0, Value b1);
  template <typename Combine> Value ofQuery(Value x, Combine combine);

  Type f32;
  VectorType halves;
  Value memory, lane;
  Value begin, end;         // positions of this block
  Value fullEnd, fullBegin; // positions that all its queries see
  Value queryRow[laneQueries], queryHead[laneQueries], written[laneQueries];
  Value rowBegin[laneQueries], rowSees[laneQueries]; // positions
  Value unscale[laneQueries];                        // from products to scores
  SmallVector<Halves> query; // [steps], 4 registers each
};

/// Combines an f32 of the four lanes that share a query.
template <typename Combine>
Value AttentionTiles::ofQuery(Value x, Combine combine) {
  for (int64_t distance : {1, 2})
    x = combine(b, x, b.exchange(x, distance));
  return x;
}

void AttentionTiles::place() {
  // Most positions first: the last rows.
  Value tiles = b.div(b.add(b.rows(), queries.rows - 1), queries.rows);
  int64_t groups = queries.headGroups(shape);
  Value rowTile = b.sub(b.sub(tiles, b.constant(1)), b.div(b.block(), groups));
  placeHeads(b.rem(b.block(), groups));
  Value firstRow = b.mul(rowTile, queries.rows);
  Value lastRow =
      b.min(b.sub(b.rows(), b.constant(1)), b.add(firstRow, queries.rows - 1));
  auto endOf = [&](Value row) { return b.add(b.add(b.position(), row), 1); };
  fullEnd = endOf(firstRow);
  end = endOf(lastRow);
  begin = beginOf(fullEnd);
  fullBegin = beginOf(end);
  lane = b.lane();
  for (int64_t i = 0; i < laneQueries; ++i) {
    Value index =
        b.add(b.add(b.mul(b.warp(), warpQueries), b.div(lane, 4)), i * columns);
    // Queries behind the last are read as that, and not written.
    Value read = b.min(index, b.constant(queries.count() - 1));
    Value row = b.add(firstRow, b.div(read, queries.heads));
    written[i] = arith::AndIOp::create(
        b, b.less(index, b.constant(queries.count())), b.less(row, b.rows()));
    queryRow[i] = b.min(row, lastRow);
    queryHead[i] = b.rem(read, queries.heads);
    Value rowEnd = endOf(queryRow[i]);
    // Before the first position the difference wraps around, as in hide().
    Value window = b.constant(shape.window.value_or(0));
    rowSees[i] = shape.window ? window : rowEnd;
    rowBegin[i] = shape.window ? b.sub(rowEnd, window) : window;
  }
}

/// Two f32 as two pairs of f16. The low half has the 11 bits behind the 11 of
/// the high one, which rounds.
Halves AttentionTiles::split(Value x, Value y) {
  auto pair = VectorType::get({2}, f32);
  Value both = vector::FromElementsOp::create(b, pair, ValueRange{x, y});
  Value high = arith::TruncFOp::create(b, halves, both);
  Value rest =
      arith::SubFOp::create(b, both, arith::ExtFOp::create(b, pair, high));
  return {{high}, {arith::TruncFOp::create(b, halves, rest)}};
}

/// Queries are scaled by a power of two each, so that the high half does not
/// overflow and the low half is not lost, whatever the largest element is.
void AttentionTiles::loadQueries() {
  query.assign(steps(), {Values(4), Values(4)});
  for (int64_t q = 0; q < laneQueries; ++q) {
    Value address = b.at(b.pointer(0), queryOffset(queryRow[q], queryHead[q],
                                                   b.mul(b.rem(lane, 4), 2)));
    Values loaded;
    Value largest = b.real(std::ldexp(1, leastExponent - 127));
    for (int64_t part = 0; part < outputs(); ++part) {
      Value pair = b.load(VectorType::get({2}, f32),
                          b.at(address, part * columns * sizeof(float)), 8);
      for (int64_t j = 0; j < 2; ++j) {
        Value x = vector::ExtractOp::create(b, pair, j);
        loaded.push_back(mul(b, x, scoreFactor()));
        largest = max(b, largest, math::AbsFOp::create(b, loaded.back()));
      }
    }
    Value exponent = b.shiftRight(
        arith::BitcastOp::create(b, b.getI32Type(), ofQuery(largest, max)), 23);
    auto powerOfTwo = [&](Value field) -> Value {
      return arith::BitcastOp::create(b, f32, b.shiftLeft(field, 23));
    };
    Value scale =
        powerOfTwo(b.sub(b.constant(2 * 127 + queryExponent), exponent));
    unscale[q] = powerOfTwo(b.sub(exponent, b.constant(queryExponent)));
    loaded.resize(steps() * 4, b.real(0));
    for (int64_t part = 0; part < steps() * 2; ++part) {
      Halves pair = split(mul(b, loaded[2 * part], scale),
                          mul(b, loaded[2 * part + 1], scale));
      int64_t place = part % 2 * 2 + q;
      query[part / 2].high[place] = pair.high[0];
      query[part / 2].low[place] = pair.low[0];
    }
  }
}

/// The columns of keys behind the last, where an MMA reads some.
void AttentionTiles::clearPadding() {
  if (headDim % depth == 0)
    return;
  auto zeros = arith::ConstantOp::create(
      b, DenseElementsAttr::get(VectorType::get({4}, b.getI32Type()), 0));
  for (int64_t buffer = 0; buffer < 2; ++buffer)
    b.loop(b.thread(), b.constant(tile), b.constant(b.threads()),
           [&](Value row) {
             b.store(zeros,
                     b.at(b.at(memory, b.mul(row, rowStride())),
                          buffer * bufferBytes() + headDim * halfBytes),
                     runBytes);
           });
}

/// Keys and values of the positions from `first`, those behind the last as the
/// last: what lies there may be anything.
void AttentionTiles::copyTile(Value first, Value buffer) {
  int64_t runs = headDim / run, rowsAtOnce = b.threads() / runs;
  Value row = b.div(b.thread(), runs);
  Value offset = b.mul(b.rem(b.thread(), runs), runBytes);
  Value place =
      b.at(b.at(memory, buffer), b.add(b.mul(row, rowStride()), offset));
  Value last = b.sub(end, b.constant(1));
  auto copyRows = [&](int64_t before) {
    Value position = b.min(b.add(b.add(first, row), before), last);
    Value source = b.at(cacheRow(keys, position), offset);
    for (int64_t plane = 0; plane < 2; ++plane)
      NVVM::CpAsyncOp::create(
          b, b.at(place, plane * planeBytes() + before * rowStride()),
          b.at(source, plane * valuesOffset()), runBytes,
          NVVM::LoadCacheModifierKind::CG, /*cpSize=*/Value());
  };
  auto copyAll = [&] {
    for (int64_t before = 0; before < tile; before += rowsAtOnce)
      if (before + rowsAtOnce <= tile)
        copyRows(before);
      else
        b.when(b.less(row, b.constant(tile - before)),
               [&] { copyRows(before); });
  };
  if (b.threads() % runs == 0)
    copyAll();
  else
    b.when(b.less(row, b.constant(rowsAtOnce)), copyAll);
  NVVM::CpAsyncCommitGroupOp::create(b);
}

/// Four matrices of 8 x 8 halves, lane l has the address of row l % 8 of matrix
/// l / 8; transposed where their rows are positions that an MMA adds up.
Values AttentionTiles::loadMatrices(Value address, bool transposed) {
  auto type = LLVM::LLVMStructType::getLiteral(
      b.getContext(), SmallVector<Type>(4, b.getI32Type()));
  Value loaded = NVVM::LdMatrixOp::create(
      b, type, address, 4,
      transposed ? NVVM::MMALayout::col : NVVM::MMALayout::row,
      NVVM::LdStMatrixShapeAttr::get(b.getContext(), 8, 8),
      NVVM::LdStMatrixEltType::B16);
  Values result;
  for (int64_t i = 0; i < 4; ++i)
    result.push_back(LLVM::BitcastOp::create(
        b, halves, LLVM::ExtractValueOp::create(b, loaded, i)));
  return result;
}

/// sums += A * B, of one MMA.
void AttentionTiles::addProduct(Values &sums, const Values &a, Value b0,
                                Value b1) {
  auto type = LLVM::LLVMStructType::getLiteral(b.getContext(),
                                               SmallVector<Type>(4, f32));
  Value product = NVVM::MmaOp::create(
      b, type, a, ValueRange{b0, b1}, sums,
      ArrayRef<int64_t>{warpQueries, columns, depth}, /*b1Op=*/std::nullopt,
      /*intOverflow=*/std::nullopt, /*multiplicandPtxTypes=*/std::nullopt,
      std::array<NVVM::MMALayout, 2>{NVVM::MMALayout::row,
                                     NVVM::MMALayout::col});
  for (int64_t i = 0; i < 4; ++i)
    sums[i] = LLVM::ExtractValueOp::create(b, product, i);
}

/// Products with the keys of a tile, [tile / 8] of an MMA's results. Sums of
/// low parts are apart, where what an MMA cuts off is little.
SmallVector<Values> AttentionTiles::productsOf(Value buffer) {
  Value row = b.add(b.mul(b.div(lane, 16), 8), b.rem(lane, 8));
  Value half = b.rem(b.div(lane, 8), 2);
  Value keyRows = b.at(b.at(memory, buffer),
                       b.add(b.mul(row, rowStride()), b.mul(half, runBytes)));
  SmallVector<Values> products;
  for (int64_t n = 0; n < tile / columns; n += 2) {
    SmallVector<Values> high(2, Values(4, b.real(0))), low = high;
    for (int64_t k = 0; k < steps(); ++k) {
      Values loaded = loadMatrices(
          b.at(keyRows, n * columns * rowStride() + k * depth * halfBytes),
          /*transposed=*/false);
      for (int64_t i = 0; i < 2; ++i) {
        addProduct(low[i], query[k].low, loaded[2 * i], loaded[2 * i + 1]);
        addProduct(high[i], query[k].high, loaded[2 * i], loaded[2 * i + 1]);
      }
    }
    for (int64_t i = 0; i < 2; ++i) {
      for (auto [sum, rest] : llvm::zip(high[i], low[i]))
        sum = add(b, sum, rest);
      products.push_back(high[i]);
    }
  }
  return products;
}

/// `before`, the sums of values, times `rescale` and plus the products of
/// weights and a tile's values. The products are summed up by themselves: an
/// MMA cuts off what it adds, which over a long context would show.
Values AttentionTiles::addValues(const SmallVector<Values> &weights,
                                 Value buffer, ValueRange before,
                                 const Values &rescale) {
  SmallVector<Halves> operands(tile / depth);
  for (auto [k, operand] : llvm::enumerate(operands))
    for (int64_t i = 0; i < 4; ++i) {
      // What was a result is an operand as it is.
      const Values &from = weights[2 * k + i / 2];
      Halves pair = split(from[i % 2 * 2], from[i % 2 * 2 + 1]);
      operand.high.append(pair.high);
      operand.low.append(pair.low);
    }
  Value rows = b.at(b.at(b.at(memory, buffer), planeBytes()),
                    b.add(b.mul(b.rem(lane, 16), rowStride()),
                          b.mul(b.div(lane, 16), runBytes)));
  Values after;
  for (int64_t n = 0; n < outputs(); n += 2) {
    SmallVector<Values> products(2, Values(4, b.real(0)));
    for (auto [k, operand] : llvm::enumerate(operands)) {
      Values loaded = loadMatrices(
          b.at(rows, k * depth * rowStride() + n * columns * halfBytes),
          /*transposed=*/true);
      for (int64_t i = 0; i < std::min<int64_t>(2, outputs() - n); ++i)
        for (const Values &part : {operand.low, operand.high})
          addProduct(products[i], part, loaded[2 * i], loaded[2 * i + 1]);
    }
    for (int64_t i = 0; i < std::min<int64_t>(2, outputs() - n); ++i)
      for (auto [j, product] : llvm::enumerate(products[i]))
        after.push_back(
            b.fma(before[4 * (n + i) + j], rescale[j / 2], product));
  }
  return after;
}

/// Makes the scores of what a query does not see -infinity.
void AttentionTiles::hide(Value first, SmallVector<Values> &scores) {
  Value behind = b.less(fullEnd, b.add(first, tile));
  Value before = b.less(first, fullBegin);
  Values all;
  for (const Values &each : scores)
    all.append(each);
  Value firstCol = b.add(first, b.mul(b.rem(lane, 4), 2));
  all = b.when(arith::OrIOp::create(b, behind, before), all, [&] {
    Values hidden;
    for (auto [i, score] : llvm::enumerate(all)) {
      int64_t q = i % 4 / 2;
      Value col = b.add(firstCol, i / 4 * columns + i % 2);
      // One comparison: before the begin the difference wraps around.
      Value sees = b.less(b.sub(col, rowBegin[q]), rowSees[q]);
      hidden.push_back(b.select(
          sees, score, b.real(-std::numeric_limits<double>::infinity())));
    }
    return hidden;
  });
  for (auto [i, each] : llvm::enumerate(scores))
    each.assign(all.begin() + 4 * i, all.begin() + 4 * i + 4);
}

/// State: of each query of the lane the base of the weights, then of each the
/// lane's sum of weights, then the weighted sums of values.
Values AttentionTiles::step(Value first, Value buffer, ValueRange before) {
  SmallVector<Values> scores = productsOf(buffer);
  hide(first, scores);
  Values base, total, rescale;
  for (int64_t q = 0; q < laneQueries; ++q) {
    Value largest = max(b, scores[0][2 * q], scores[0][2 * q + 1]);
    for (const Values &each : llvm::drop_begin(scores))
      largest = max(b, largest, max(b, each[2 * q], each[2 * q + 1]));
    largest = mul(b, ofQuery(largest, max), unscale[q]);
    base.push_back(max(b, before[q], add(b, largest, b.real(-weightExponent))));
    rescale.push_back(exp2OfDifference(b, before[q], base[q]));
    Value sum, negative = arith::NegFOp::create(b, base[q]);
    for (Values &each : scores)
      for (int64_t j = 2 * q; j < 2 * q + 2; ++j) {
        each[j] = math::Exp2Op::create(b, b.fma(each[j], unscale[q], negative));
        sum = sum ? add(b, sum, each[j]) : each[j];
      }
    total.push_back(b.fma(before[laneQueries + q], rescale[q], sum));
  }

  Values after = base;
  after.append(total);
  after.append(
      addValues(scores, buffer, before.drop_front(2 * laneQueries), rescale));
  return after;
}

void AttentionTiles::write(ValueRange state) {
  for (int64_t q = 0; q < laneQueries; ++q) {
    Value total = ofQuery(state[laneQueries + q], add);
    Value factor = arith::DivFOp::create(b, b.real(1), total);
    Value address = b.at(b.pointer(2), queryOffset(queryRow[q], queryHead[q],
                                                   b.mul(b.rem(lane, 4), 2)));
    b.when(written[q], [&] {
      for (int64_t n = 0; n < outputs(); ++n) {
        ValueRange sums = state.slice(2 * laneQueries + 4 * n + 2 * q, 2);
        Value pair = vector::FromElementsOp::create(
            b, VectorType::get({2}, f32),
            ValueRange{mul(b, sums[0], factor), mul(b, sums[1], factor)});
        b.store(pair, b.at(address, n * columns * sizeof(float)), 8);
      }
    });
  }
}

void AttentionTiles::emit() {
  memory = b.shared(2 * bufferBytes());
  place();
  Value none = b.constant(0);
  copyTile(begin, none);
  clearPadding();
  loadQueries();
  Values state(laneQueries, b.real(lowestReal));
  state.append(laneQueries + 4 * outputs(), b.real(0));
  state.push_back(none); // the buffer that comes next
  Values last = b.loop(
      begin, end, b.constant(tile), state,
      [&](Value first, ValueRange carried) {
        Value buffer = carried.back();
        Value other = b.sub(b.constant(bufferBytes()), buffer);
        // This tile has come for all threads, and all are done with the buffer
        // that the next one goes to.
        NVVM::CpAsyncWaitGroupOp::create(b, 0);
        b.barrier();
        Value following = b.add(first, tile);
        b.when(b.less(following, end), [&] { copyTile(following, other); });
        Values after = step(first, buffer, carried.drop_back());
        after.push_back(other);
        return after;
      });
  write(ValueRange(last).drop_back());
}

} // namespace

std::optional<AttentionQueries>
attentionTilesQueries(const AttentionShape &shape) {
  if (shape.maxRows == 1 || !shape.cache.element.isF16() ||
      shape.cache.headDim > maxHeadDim)
    return std::nullopt;
  return AttentionQueries(shape, maxWarps * warpQueries);
}

int64_t attentionTilesThreads(const AttentionQueries &queries) {
  return llvm::divideCeil(queries.count(), warpQueries) * warpSize;
}

void emitAttentionTiles(GpuKernelBuilder &b, const AttentionShape &shape,
                        const AttentionQueries &queries) {
  AttentionTiles(b, shape, queries).emit();
}

} // namespace pmpd::codegen
