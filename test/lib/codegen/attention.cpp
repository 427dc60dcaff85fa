// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Quant/Half.h"
#include "test/lib/codegen/CompiledKernel.h"

#include <cmath>
#include <cstring>
#include <limits>

using namespace pmpd;
using namespace pmpd::codegen;
using namespace pmpd::test;

namespace {

struct Case {
  int64_t heads, cacheHeads, headDim, context;
  bool half;
  std::optional<int64_t> window;
  float queryRange = 3, keyRange = 1;
};

/// Tokens in the cache before a call, and its rows.
using Chunk = std::pair<int64_t, int64_t>;

/// The kernels that attend the rows of a chunk.
class CompiledAttention {
public:
  using MakeAttention = llvm::function_ref<AttentionKernels(KernelLibrary &)>;
  CompiledAttention(const Machine &machine, MakeAttention make)
      : first(machine, [&](KernelLibrary &l) { return make(l).kernel; }) {
    CompiledKernel reads(machine, [&](KernelLibrary &l) {
      AttentionKernels kernels = make(l);
      partialBytes = kernels.partialBytes;
      return kernels.combine ? *kernels.combine : kernels.kernel;
    });
    if (partialBytes)
      combine.emplace(std::move(reads));
  }

  void run(void *query, void *cache, void *output, int64_t rows,
           int64_t position) const {
    inTurn(query, cache, output, rows,
           [&](const CompiledKernel &kernel, const Pointers &pointers) {
             kernel.run(pointers, rows, position);
           });
  }
  void runInPieces(void *query, void *cache, void *output, int64_t rows,
                   int64_t position, std::mt19937 &random) const {
    inTurn(query, cache, output, rows,
           [&](const CompiledKernel &kernel, const Pointers &pointers) {
             kernel.runInPieces(pointers, rows, position, random);
           });
  }

private:
  using Pointers = std::vector<void *>;

  template <typename Run>
  void inTurn(void *query, void *cache, void *output, int64_t rows,
              Run run) const {
    if (!combine)
      return run(first, {query, cache, output});
    Guarded<uint8_t> partial(rows * partialBytes);
    run(first, {query, cache, partial.data()});
    run(*combine, {partial.data(), output});
  }

  CompiledKernel first;
  std::optional<CompiledKernel> combine;
  int64_t partialBytes = 0; // of a row
};

class Attention : public ForEveryMachine {
protected:
  /// One row is attended by the kernel of decode, more by that of prefill.
  void check(const Case &c, llvm::ArrayRef<Chunk> chunks);
  void checkChunk(const Case &c, const CompiledKernel &append,
                  const CompiledAttention &attention, int64_t position,
                  int64_t rows);
  std::mt19937 random{4};
};

constexpr float scale = 0.7f;

void Attention::check(const Case &c, llvm::ArrayRef<Chunk> chunks) {
  auto cacheShape = [&](KernelLibrary &l) {
    mlir::Builder builder(l.getContext());
    return CacheShape{c.half ? mlir::Type(builder.getF16Type())
                             : builder.getF32Type(),
                      c.cacheHeads, c.headDim, c.context};
  };
  CompiledKernel append(
      GetParam(), [&](KernelLibrary &l) { return l.kvAppend(cacheShape(l)); });
  auto attentionOf = [&](int64_t maxRows) {
    return CompiledAttention(GetParam(), [&](KernelLibrary &l) {
      return l.attention({cacheShape(l), c.heads, scale, c.window, maxRows});
    });
  };
  CompiledAttention decode = attentionOf(1), prefill = attentionOf(70);
  for (auto [position, rows] : chunks)
    checkChunk(c, append, rows == 1 ? decode : prefill, position, rows);
}

void Attention::checkChunk(const Case &c, const CompiledKernel &append,
                           const CompiledAttention &attention, int64_t position,
                           int64_t rows) {
  SCOPED_TRACE(testing::Message()
               << c.heads << "/" << c.cacheHeads << " heads of " << c.headDim
               << ", position " << position << ", rows " << rows);
  // What was never appended is NaN, in f16 and in f32.
  int64_t plane = c.cacheHeads * c.context * c.headDim;
  Guarded<uint8_t> cache(2 * plane * (c.half ? 2 : 4));
  std::memset(cache.data(), 0xFF, cache.size());
  int64_t end = position + rows;
  int64_t cacheCols = c.cacheHeads * c.headDim;
  Guarded<float> keys(
      throughHalves(randomFloats(end * cacheCols, random, c.keyRange)));
  Guarded<float> values(throughHalves(randomFloats(end * cacheCols, random)));
  append.run({keys.data(), values.data(), cache.data()}, position);
  append.runInPieces({keys.data() + position * cacheCols,
                      values.data() + position * cacheCols, cache.data()},
                     rows, position, random);

  auto cached = [&](int64_t kv, int64_t head, int64_t p, int64_t i) -> double {
    int64_t at = kv * plane + (head * c.context + p) * c.headDim + i;
    if (c.half)
      return halfToFloat(reinterpret_cast<uint16_t *>(cache.data())[at]);
    return reinterpret_cast<float *>(cache.data())[at];
  };
  for (int64_t p = 0; p < c.context; ++p)
    for (int64_t h = 0; h < c.cacheHeads; ++h)
      for (int64_t i = 0; i < c.headDim; ++i) {
        if (p >= end) {
          ASSERT_TRUE(std::isnan(cached(0, h, p, i)));
          continue;
        }
        size_t at = p * cacheCols + h * c.headDim + i;
        ASSERT_EQ(cached(0, h, p, i), keys[at]);
        ASSERT_EQ(cached(1, h, p, i), values[at]);
      }

  int64_t cols = c.heads * c.headDim;
  Guarded<float> query(randomFloats(rows * cols, random, c.queryRange));
  Guarded<float> y(query.count()), again(query.count());
  attention.run(query.data(), cache.data(), y.data(), rows, position);
  attention.runInPieces(query.data(), cache.data(), again.data(), rows,
                        position, random);
  ASSERT_EQ(std::memcmp(y.data(), again.data(), y.size()), 0);
  for (int64_t t = 0; t < rows; ++t)
    for (int64_t h = 0; h < c.heads; ++h) {
      int64_t cacheHead = h / (c.heads / c.cacheHeads);
      int64_t last = position + t;
      int64_t first = c.window ? std::max<int64_t>(0, last - *c.window + 1) : 0;
      const float *q = query.data() + t * cols + h * c.headDim;
      std::vector<double> scores, expected(c.headDim);
      for (int64_t p = first; p <= last; ++p) {
        double score = 0;
        for (int64_t i = 0; i < c.headDim; ++i)
          score += q[i] * cached(0, cacheHead, p, i);
        scores.push_back(scale * score);
      }
      double largest = *std::max_element(scores.begin(), scores.end());
      double total = 0;
      for (double score : scores)
        total += std::exp(score - largest);
      for (int64_t p = first; p <= last; ++p)
        for (int64_t i = 0; i < c.headDim; ++i)
          expected[i] += std::exp(scores[p - first] - largest) / total *
                         cached(1, cacheHead, p, i);
      for (int64_t i = 0; i < c.headDim; ++i)
        ASSERT_NEAR(y[t * cols + h * c.headDim + i], expected[i], 5e-6)
            << "row " << t << ", head " << h << ", element " << i;
    }
}

TEST_P(Attention, equals_softmax_in_double) {
  const Case cases[] = {{4, 2, 32, 70, true, std::nullopt},
                        {3, 3, 24, 40, false, std::nullopt},
                        {2, 1, 128, 64, true, 17},
                        {7, 1, 16, 40, true, std::nullopt},
                        {20, 1, 32, 40, false, std::nullopt},
                        {1, 1, 8, 50, false, 1},
                        {2, 2, 16, 300, true, std::nullopt},
                        {4, 2, 64, 300, false, 20},
                        {2, 1, 264, 40, true, std::nullopt}};
  for (const Case &c : cases)
    check(c, {{0, 1}, {0, 33}, {15, 1}, {16, 3}, {31, 9}});
}

/// Heads and rows that share a head of the cache fill tiles, or do not.
TEST_P(Attention, of_many_rows_equals_softmax_in_double) {
  check({2, 2, 32, 200, true, std::nullopt}, {{0, 64}, {3, 65}, {130, 70}});
  check({4, 4, 64, 150, true, 20}, {{0, 70}, {80, 70}});
  check({4, 1, 80, 75, true, std::nullopt}, {{0, 17}, {5, 70}});
  check({8, 1, 96, 140, true, 65}, {{0, 2}, {100, 33}});
  check({7, 1, 40, 90, true, std::nullopt}, {{64, 20}});
  check({70, 1, 8, 40, true, 3}, {{30, 4}});
  check({8, 2, 128, 100, true, std::nullopt}, {{0, 33}, {63, 37}});
  check({2, 1, 64, 2910, true, std::nullopt}, {{2900, 8}});
}

/// Queries beyond the largest f16, and such as f16 has few bits for.
TEST_P(Attention, does_not_depend_on_the_size_of_queries) {
  check({2, 1, 32, 40, true, std::nullopt, 1.5e5f, 3e-5f}, {{0, 40}});
  check({2, 1, 32, 40, true, std::nullopt, 5e-5f, 6e4f}, {{0, 40}});
  check({2, 1, 24, 40, true, std::nullopt, 1e-30f, 1}, {{0, 40}});
  check({2, 1, 24, 40, true, std::nullopt, 0, 1}, {{0, 40}});
}

/// Weights below the least float are 0, whether the largest score comes first
/// or last.
TEST_P(Attention, forgets_what_scores_far_less) {
  constexpr int64_t context = 70, headDim = 8;
  for (bool half : {false, true})
    for (int64_t rows : {1, 2}) {
      CompiledAttention attention(GetParam(), [&](KernelLibrary &l) {
        mlir::Builder builder(l.getContext());
        mlir::Type element = builder.getF32Type();
        return l.attention(
            {{half ? builder.getF16Type() : element, 1, headDim, context},
             /*heads=*/2,
             scale,
             /*window=*/std::nullopt,
             /*maxRows=*/rows});
      });
      Guarded<float> query(std::vector<float>(rows * 2 * headDim, 20.0f));
      for (int64_t largest : {int64_t(0), int64_t(20), context - rows}) {
        Guarded<float> cache(
            throughHalves(randomFloats(2 * context * headDim, random)));
        const float *values = cache.data() + context * headDim;
        std::fill_n(cache.data() + largest * headDim, headDim, 10.0f);
        Guarded<uint16_t> halves(toHalves(
            std::vector<float>(cache.data(), cache.data() + cache.count())));
        Guarded<float> y(query.count());
        attention.run(query.data(),
                      half ? static_cast<void *>(halves.data()) : cache.data(),
                      y.data(), rows, context - rows);
        for (size_t i = 0; i < y.count(); ++i)
          EXPECT_EQ(y[i], values[largest * headDim + i % headDim])
              << "position " << largest << ", element " << i;
      }
    }
}

PMPD_FOR_EVERY_MACHINE(Attention);

/// Conversions of the cache that LLVM would leave to a library.
TEST_P(Attention, appends_every_kind_of_half) {
  CompiledKernel append(GetParam(), [&](KernelLibrary &l) {
    return l.kvAppend({mlir::Builder(l.getContext()).getF16Type(), 1, 8, 2});
  });
  const float inputs[] = {
      1.00048828125f, // tie to even, down
      1.00146484375f, // tie to even, up
      65519.0f,       65520.0f, 1e9f,
      -6.1e-5f,       3e-8f,    std::numeric_limits<float>::infinity()};
  Guarded<float> keys(std::vector<float>(std::begin(inputs), std::end(inputs)));
  Guarded<float> values(8);
  values[0] = std::numeric_limits<float>::quiet_NaN();
  Guarded<uint16_t> cache(2 * 2 * 8);
  append.run({keys.data(), values.data(), cache.data()}, 1);
  for (size_t i = 0; i < 8; ++i)
    EXPECT_EQ(cache[i], floatToHalf(inputs[i])) << inputs[i];
  EXPECT_TRUE(std::isnan(halfToFloat(cache[16])));
}

} // namespace
