// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Codegen/gpu/GpuKernels.h"
#include "lib/Codegen/gpu/Words.h"
#include "pmpd/kernel.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/MathExtras.h"

#include <cmath>
#include <cstddef>
#include <limits>

using namespace mlir;

namespace pmpd::codegen {
namespace {

/// Logits that are read at once.
int64_t widthOf(int64_t vocab) { return vocab % 4 == 0 ? 4 : 1; }

/// Most tokens of a thread.
int64_t tokensPerThread(int64_t vocab) {
  int64_t width = widthOf(vocab);
  return llvm::divideCeil(vocab, Words::threads * width) * width;
}

/// Chooses one token.
///
/// A token's place is an integer, the smaller the better the token is: its
/// rank, the bits of its logit so that they fall where it rises, and below them
/// its index. What is not finite has the places from `none` on.
class SampleEmitter {
public:
  SampleEmitter(GpuKernelBuilder &b, int64_t vocab)
      : b(b), w(b), vocab(vocab), width(widthOf(vocab)),
        indexBits(llvm::Log2_64_Ceil(vocab)), f32(b.getF32Type()),
        thread(b.thread()), none(w.constant(firstOfNone())),
        inverseTemperature(
            parameter(f32, offsetof(pmpd_gpu_sampling, inverse_temperature))),
        topK(parameter(b.getI32Type(), offsetof(pmpd_gpu_sampling, top_k))),
        topP(parameter(b.getI64Type(), offsetof(pmpd_gpu_sampling, top_p))) {}

  void emit() {
    Value own = bestOfThread();
    Value first = w.minOfBlock(own);
    best = logitIn(first);
    Value isFound = w.isBelow(first, none);
    Value isHot = arith::CmpFOp::create(b, arith::CmpFPredicate::OLT, b.real(0),
                                        inverseTemperature);
    Value token = choose(
        both(isFound, isHot), [&]() -> Values { return {draw(limitOf(own))}; },
        [&]() -> Values {
          return {b.select(isFound, tokenIn(first), b.constant(-1))};
        })[0];
    b.when(b.equal(thread, 0), [&] { b.store(token, b.pointer(3)); });
  }

private:
  int64_t firstOfNone() { return int64_t(UINT32_MAX) << indexBits; }
  int64_t placeBits() { return 32 + indexBits; }

  Value parameter(Type type, int64_t offset) {
    return b.load(type, b.at(b.pointer(1), offset));
  }
  Value both(Value x, Value y) { return arith::AndIOp::create(b, x, y); }

  /// The results of one of two bodies. Where one waits for other threads, the
  /// condition is the same in all of the block.
  Values choose(Value condition, llvm::function_ref<Values()> then,
                llvm::function_ref<Values()> otherwise) {
    auto yield = [&](llvm::function_ref<Values()> body) {
      scf::YieldOp::create(b, body());
    };
    return scf::IfOp::create(
               b, condition, [&](OpBuilder &, Location) { yield(then); },
               [&](OpBuilder &, Location) { yield(otherwise); })
        .getResults();
  }

  //===--------------------------------------------------------------------===//
  // Tokens
  //===--------------------------------------------------------------------===//

  /// Between the bits of a float and an integer that falls where it rises.
  Value reverse(Value bits) {
    Value isNegative = arith::CmpIOp::create(b, arith::CmpIPredicate::slt, bits,
                                             b.constant(0));
    Value reversed = arith::XOrIOp::create(b, bits, b.constant(INT32_MAX));
    return b.select(isNegative, bits, reversed);
  }

  Value rankOf(Value logit) {
    // -0 becomes 0, which it equals.
    Value bits = arith::BitcastOp::create(
        b, b.getI32Type(), arith::AddFOp::create(b, logit, b.real(0)));
    constexpr int64_t exponent = 0x7F800000;
    Value isSpecial = b.equal(b.bitAnd(bits, exponent), exponent);
    return b.select(isSpecial, b.constant(-1), reverse(bits));
  }
  Value placeOf(Value rank, Value token) {
    return w.add(w.shiftLeft(w.extend(rank), indexBits), w.extend(token));
  }
  Value rankIn(Value place) {
    return w.truncate(w.shiftRight(place, indexBits));
  }
  Value logitIn(Value place) {
    return arith::BitcastOp::create(b, f32, reverse(rankIn(place)));
  }
  Value tokenIn(Value place) {
    return b.bitAnd(w.truncate(place), (int64_t(1) << indexBits) - 1);
  }

  /// Of a finite logit, 2^(62 - indexBits) of the best: sums stay below 2^63.
  Value weightOf(Value logit) {
    Value below = arith::SubFOp::create(b, logit, best);
    Value scaled = arith::MulFOp::create(b, below, inverseTemperature);
    Value power = math::Exp2Op::create(
        b, arith::MulFOp::create(b, scaled, b.real(llvm::numbers::log2e)));
    Value weight = arith::MulFOp::create(
        b, power, b.real(std::ldexp(1.0, 62 - indexBits)));
    return arith::FPToUIOp::create(b, b.getI64Type(), weight);
  }

  using Each = llvm::function_ref<Values(Value logit, Value token, ValueRange)>;

  /// Carries values over `width` tokens at a time, from `begin` to before
  /// `end`.
  Values eachFrom(Value begin, Value end, Value step, int64_t width,
                  ValueRange init, Each body) {
    Type type = width == 1 ? f32 : Type(VectorType::get(width, f32));
    return b.loop(begin, end, step, init, [&](Value first, ValueRange carried) {
      Value place = b.at(b.pointer(0), b.mul(first, sizeof(float)));
      Value piece = b.load(type, place, width * sizeof(float));
      Values now(carried);
      for (int64_t i = 0; i < width; ++i) {
        Value logit =
            width == 1 ? piece : vector::ExtractOp::create(b, piece, i);
        now = body(logit, b.add(first, i), now);
      }
      return now;
    });
  }
  /// Over the thread's share of all tokens, in ascending order.
  Values eachToken(ValueRange init, Each body) {
    return eachFrom(b.mul(thread, width), b.constant(vocab),
                    b.constant(Words::threads * width), width, init, body);
  }

  /// The place of the best token of the thread's share.
  Value bestOfThread() {
    Value highest = b.real(std::numeric_limits<double>::infinity());
    Value lowest = b.real(-std::numeric_limits<double>::infinity());
    auto isBelow = [&](Value x, Value y) { // NaN is not
      return arith::CmpFOp::create(b, arith::CmpFPredicate::OLT, x, y);
    };
    Values found =
        eachToken({lowest, b.constant(0)},
                  [&](Value logit, Value token, ValueRange now) -> Values {
                    Value isBetter =
                        both(isBelow(now[0], logit), isBelow(logit, highest));
                    return {b.select(isBetter, logit, now[0]),
                            b.select(isBetter, token, now[1])};
                  });
    return placeOf(rankOf(found[0]), found[1]);
  }

  //===--------------------------------------------------------------------===//
  // top_k and top_p
  //===--------------------------------------------------------------------===//

  /// The largest integer of `bits` bits for which the block's sum of
  /// `sumBefore` is at most `target`: where the sum over what is at or before
  /// it first exceeds the target, all ones if it never does.
  Value search(int64_t bits, Value target,
               llvm::function_ref<Value(Value)> sumBefore) {
    Value one = w.constant(1);
    return b.loop(
        b.constant(0), b.constant(bits), b.constant(1),
        ValueRange{w.constant(0)}, [&](Value step, ValueRange found) -> Values {
          Value bit = w.extend(b.sub(b.constant(bits - 1), step));
          Value next = w.add(found[0], arith::ShLIOp::create(b, one, bit));
          Value sum = w.sumOfBlock(sumBefore(next));
          return {b.select(w.isAtMost(sum, target), next, found[0])};
        })[0];
  }

  /// Where the thread keeps the place of its candidate `i`.
  Value candidate(Value i) {
    return b.at(b.pointer(2),
                b.mul(b.add(b.mul(i, Words::threads), thread), Words::bytes));
  }
  /// The sum of `term` over the first `count` of the thread's candidates.
  Value sumOfCandidates(Value count, llvm::function_ref<Value(Value)> term) {
    return b.loop(b.constant(0), count, b.constant(1),
                  ValueRange{w.constant(0)},
                  [&](Value i, ValueRange sum) -> Values {
                    Value place = b.load(b.getI64Type(), candidate(i));
                    return {w.add(sum[0], term(place))};
                  })[0];
  }

  /// Keeps a token as the thread's next candidate where that is so; `count` of
  /// them then.
  Value keep(Value isCandidate, Value rank, Value token, Value count) {
    b.when(isCandidate,
           [&] { b.store(placeOf(rank, token), candidate(count)); });
    return b.select(isCandidate, b.add(count, 1), count);
  }

  struct Filtered {
    Value count; // of the thread's candidates
    Value last;  // place that is kept
    Value total; // weight of what is kept, which candidates may be a part of
  };

  Value weightUpTo(Value last, Value end, Value count) {
    return sumOfCandidates(count, [&](Value place) {
      Value isKept = both(w.isBelow(place, end), w.isAtMost(place, last));
      return w.orZero(isKept, weightOf(logitIn(place)));
    });
  }

  /// A search by a count that is not reached ends behind the finite ones.
  Value finite(Value limit, int64_t last) {
    return arith::MinUIOp::create(b, limit, w.constant(last));
  }

  Filtered filterByCount(Value own) {
    Value one = w.constant(1), rejected = w.sub(w.extend(topK), one);
    // At least top_k tokens rank as high as the threads' best top_k do.
    Value ofBest = search(32, rejected, [&](Value end) {
      return w.orZero(w.isBelow(w.shiftRight(own, indexBits), end), one);
    });
    Value lastRank = w.truncate(finite(ofBest, int64_t(UINT32_MAX) - 1));
    Value count = eachToken(
        {b.constant(0)},
        [&](Value logit, Value token, ValueRange count) -> Values {
          Value rank = rankOf(logit);
          return {keep(w.isAtMost(rank, lastRank), rank, token, count[0])};
        })[0];
    Value last = search(placeBits(), rejected, [&](Value end) {
      return sumOfCandidates(count, [&](Value place) {
        return w.orZero(w.isBelow(place, end), one);
      });
    });
    last = finite(last, firstOfNone() - 1);
    return {count, last, w.sumOfBlock(weightUpTo(last, none, count))};
  }

  Filtered filterByWeight(Value own) {
    // Tokens of less weight than this hold, all together, less than top_p may
    // leave out of a sum that is at least the threads' best tokens'.
    Value ownWeight = w.orZero(w.isBelow(own, none), weightOf(logitIn(own)));
    Value rest = w.share(w.sub(w.constant(-1), topP), w.sumOfBlock(ownWeight));
    Value least = arith::DivUIOp::create(b, rest, w.constant(vocab));
    Value highest = b.real(std::numeric_limits<double>::infinity());
    Values kept = eachToken(
        {b.constant(0), w.constant(0)},
        [&](Value logit, Value token, ValueRange now) -> Values {
          Value isFinite =
              arith::CmpFOp::create(b, arith::CmpFPredicate::OLT,
                                    math::AbsFOp::create(b, logit), highest);
          Value weight = w.orZero(isFinite, weightOf(logit));
          Value isCandidate = both(isFinite, w.isAtMost(least, weight));
          return {keep(isCandidate, rankOf(logit), token, now[0]),
                  w.add(now[1], weight)};
        });
    return {kept[0], w.constant(firstOfNone() - 1), w.sumOfBlock(kept[1])};
  }

  /// The last place that top_k and top_p keep, of the thread's best one `own`.
  Value limitOf(Value own) {
    Value byCount = b.less(topK, b.constant(vocab));
    Value byShare = w.isBelow(topP, w.constant(-1));
    auto filter = [&](Filtered (SampleEmitter::*by)(Value)) -> Values {
      Filtered found = (this->*by)(own);
      return choose(
          byShare,
          [&]() -> Values {
            return {
                search(placeBits(), w.share(topP, found.total), [&](Value end) {
                  return weightUpTo(found.last, end, found.count);
                })};
          },
          [&]() -> Values { return {found.last}; });
    };
    auto filterAny = [&] {
      return choose(
          byCount, [&] { return filter(&SampleEmitter::filterByCount); },
          [&] { return filter(&SampleEmitter::filterByWeight); });
    };
    return choose(
        arith::OrIOp::create(b, byCount, byShare), filterAny,
        [&]() -> Values { return {w.constant(firstOfNone() - 1)}; })[0];
  }

  //===--------------------------------------------------------------------===//
  // The draw
  //===--------------------------------------------------------------------===//

  /// A warp's sum of the weights of tokens from `begin` to before `end` whose
  /// place is at most `limit`.
  Value sumOfTokens(Value begin, Value end, int64_t width, Value limit) {
    Value lastRank = rankIn(limit), lastToken = tokenIn(limit);
    Value sum = eachFrom(
        b.add(begin, b.mul(b.lane(), width)), end,
        b.constant(Words::warpSize * width), width, {w.constant(0)},
        [&](Value logit, Value token, ValueRange now) -> Values {
          Value rank = rankOf(logit);
          Value isKept = arith::OrIOp::create(
              b, w.isBelow(rank, lastRank),
              both(w.isEqual(rank, lastRank), w.isAtMost(token, lastToken)));
          return choose(
              isKept,
              [&]() -> Values { return {w.add(now[0], weightOf(logit))}; },
              [&]() -> Values { return {now[0]}; });
        })[0];
    return w.sumOfWarp(sum);
  }

  /// The token at which the sum of weights, in the order of tokens, exceeds the
  /// drawn share of all: each warp adds up one of 32 parts, then of the part
  /// that has the token, until a part is a token.
  Value draw(Value limit) {
    Value uniform =
        parameter(b.getI64Type(), offsetof(pmpd_gpu_sampling, uniform));
    Value zero = w.constant(0), first = b.constant(0), target;
    int64_t part = vocab;
    do {
      bool isWhole = !target;
      int64_t at = isWhole ? width : 1;
      part = llvm::alignTo(llvm::divideCeil(part, Words::warpSize), at);
      Value begin = b.add(first, b.mul(b.warp(), part));
      Value end = b.min(b.add(begin, part), b.constant(vocab));
      Value sums = w.fromWarps(sumOfTokens(begin, end, at, limit));
      auto sumOf = [&](Value warp) {
        return b.load(b.getI64Type(), b.at(sums, b.mul(warp, Words::bytes)));
      };
      if (isWhole)
        target = w.share(uniform, w.sumOfWarp(sumOf(b.lane())));
      Values found =
          b.loop(b.constant(0), b.constant(Words::warpSize), b.constant(1),
                 ValueRange{zero, zero, first},
                 [&](Value warp, ValueRange now) -> Values {
                   Value sum = w.add(now[0], sumOf(warp));
                   Value isBefore = w.isAtMost(sum, target);
                   return {sum, b.select(isBefore, sum, now[1]),
                           b.select(isBefore, b.add(now[2], part), now[2])};
                 });
      b.barrier(); // before the next sums are written
      target = w.sub(target, found[1]);
      first = found[2];
    } while (part > 1);
    return first;
  }

  GpuKernelBuilder &b;
  Words w;
  int64_t vocab, width, indexBits;
  Type f32;
  Value thread, none, inverseTemperature, topK, topP;
  Value best; // logit
};

} // namespace

uint64_t GpuKernels::sampleScratch(int64_t vocab) {
  return Words::threads * tokensPerThread(vocab) * Words::bytes;
}

Kernel GpuKernels::sample(int64_t vocab) {
  gpu::GPUFuncOp func =
      get("sample_k" + std::to_string(vocab), 4, Words::threads,
          [&](GpuKernelBuilder &b) { SampleEmitter(b, vocab).emit(); });
  // Else the assembler spills to make room for a second block.
  func->setAttr(NVVM::NVVMDialect::getMinctasmAttrName(),
                Builder(getContext()).getI32IntegerAttr(1));
  return Kernel{func, /*tasks=*/1, /*rowTile=*/0};
}

} // namespace pmpd::codegen
