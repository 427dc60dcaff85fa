// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/lib/codegen/CompiledKernel.h"
#include "test/simt/ChosenToken.h"

#include <cmath>
#include <limits>

using namespace pmpd;
using namespace pmpd::test;

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr uint64_t all = UINT64_MAX;

/// The largest fraction below `share`.
uint64_t fraction(double share) { return uint64_t(std::ldexp(share, 64)) - 1; }

/// The kernel and its memory for one vocabulary.
class Sample {
public:
  explicit Sample(int64_t vocab)
      : vocab(vocab), kernel(make(vocab)), scratch(scratchBytes(vocab)) {}

  int32_t run(const Guarded<float> &logits, pmpd_gpu_sampling sampling,
              simt::Order order = simt::Order::Ascending) {
    Guarded<int32_t> token(1);
    EXPECT_EQ(
        kernel.run({logits.data(), &sampling, scratch.data(), token.data()}, 1,
                   0, order),
        "");
    return token[0];
  }

  /// Expects the token of the reference, but for draws at an edge.
  void check(const Guarded<float> &logits, pmpd_gpu_sampling sampling,
             simt::Order order = simt::Order::Ascending) {
    ChosenToken expected(logits.data(), int32_t(vocab), sampling);
    int32_t token = run(logits, sampling, order);
    if (expected.margin < 1e-6)
      ++edges;
    else
      EXPECT_EQ(token, expected.token)
          << vocab << " tokens, 1/T " << sampling.inverse_temperature
          << ", top_k " << sampling.top_k << ", top_p " << sampling.top_p
          << ", draw " << sampling.uniform;
  }

  const int64_t vocab;
  int edges = 0;

private:
  static simt::LoadedGpuKernel make(int64_t vocab) {
    llvm::ExitOnError check("kernel: ");
    return check(simt::LoadedGpuKernel::create(
        [&](codegen::GpuKernels &library) { return library.sample(vocab); }));
  }
  static size_t scratchBytes(int64_t vocab) {
    return codegen::GpuKernels::sampleScratch(vocab);
  }

  simt::LoadedGpuKernel kernel;
  GuardedBytes scratch;
};

/// Logits as models give them, or one of the cases that go wrong easily.
Guarded<float> makeLogits(int64_t vocab, int kind, std::mt19937 &random) {
  Guarded<float> x(vocab);
  std::normal_distribution<float> normal(0, 2.5f);
  for (int64_t i = 0; i < vocab; ++i) {
    x[i] = normal(random);
    if (kind == 1) // many equals, and both zeros
      x[i] = std::round(x[i]) / 2;
    if (kind == 2 && random() % 2)
      x[i] = random() % 2 ? infinity : random() % 2 ? -infinity : std::nanf("");
    if (kind == 3)
      x[i] = i % 2 ? -infinity : -3e38f;
  }
  return x;
}

class SampleVocab : public ::testing::TestWithParam<int64_t> {};
INSTANTIATE_TEST_SUITE_P(Vocabularies, SampleVocab,
                         ::testing::Values(1, 5, 1000, 1025, 4096, 32000),
                         ::testing::PrintToStringParamName());

TEST_P(SampleVocab, takes_the_first_of_the_highest_finite) {
  std::mt19937 random(8);
  Sample sample(GetParam());
  for (int kind = 0; kind < 4; ++kind) {
    Guarded<float> logits = makeLogits(sample.vocab, kind, random);
    for (auto order : {simt::Order::Ascending, simt::Order::Descending})
      sample.check(logits, {0, 1, all, 0}, order);
  }
  for (float special : {infinity, -infinity, std::nanf("")}) {
    Guarded<float> logits(std::vector<float>(sample.vocab, special));
    for (float inverse : {0.0f, 1.0f})
      EXPECT_EQ(sample.run(logits, {inverse, 40, fraction(.9), all}), -1);
  }
}

TEST_P(SampleVocab, draws_as_the_reference) {
  std::mt19937_64 draws(9);
  std::mt19937 random(10);
  Sample sample(GetParam());
  const int32_t vocab = int32_t(sample.vocab);
  std::vector<Guarded<float>> kinds;
  for (int kind = 0; kind < 4; ++kind)
    kinds.push_back(makeLogits(vocab, kind, random));
  int count = 0;
  for (float temperature : {0.1f, 1.0f, 5.0f})
    for (int32_t topK : {vocab, 1, 40, vocab + 7})
      for (uint64_t topP : {all, fraction(.9), fraction(.01)}) {
        auto order =
            ++count % 2 ? simt::Order::Ascending : simt::Order::Descending;
        // 5 is prime to the numbers of other values: all meet all kinds.
        sample.check(kinds[count % 5 % 4],
                     {1 / temperature, topK, topP, draws()}, order);
      }
  EXPECT_LE(sample.edges, count / 10);
}

/// The token as a function of the draw has a step of the right width for each
/// candidate, in the order of tokens.
TEST(Sample, shares_are_those_of_the_weights) {
  constexpr int32_t vocab = 1000;
  std::mt19937 random(11);
  Sample sample(vocab);
  Guarded<float> logits = makeLogits(vocab, 0, random);
  for (pmpd_gpu_sampling sampling :
       {pmpd_gpu_sampling{1, 6, all, 0},
        pmpd_gpu_sampling{0.5f, vocab, fraction(.1), 0}}) {
    ChosenToken expected(logits.data(), vocab, sampling);
    ASSERT_GT(expected.kept.size(), 2u);
    double total = 0, sum = 0;
    for (const auto &[token, weight] : expected.kept)
      total += weight;
    for (const auto &[token, weight] : expected.kept) {
      sampling.uniform = uint64_t(std::ldexp(sum / total + 2e-6, 64));
      EXPECT_EQ(sample.run(logits, sampling), token);
      sum += weight;
      sampling.uniform = uint64_t(std::ldexp(sum / total - 2e-6, 64));
      EXPECT_EQ(sample.run(logits, sampling), token);
    }
  }
}

TEST(Sample, equal_logits_are_kept_from_the_first) {
  Sample sample(4096);
  Guarded<float> logits(std::vector<float>(4096, -1.5f));
  auto last = [&](int32_t topK, uint64_t topP) {
    return sample.run(logits, {1, topK, topP, all});
  };
  EXPECT_EQ(last(4096, all), 4095);
  EXPECT_EQ(last(40, all), 39);
  EXPECT_EQ(last(2000, all), 1999);
  EXPECT_EQ(last(4096, fraction(.5)), 2047);
  EXPECT_EQ(last(2000, fraction(.25)), 499);
  EXPECT_EQ(sample.run(logits, {1, 4096, all, 0}), 0);
}

TEST(Sample, extreme_temperatures_stay_finite) {
  Sample sample(5);
  Guarded<float> logits(std::vector<float>{-3e38f, 3e38f, 3e38f, 1, -infinity});
  EXPECT_EQ(sample.run(logits, {3e38f, 5, all, all}), 2);
  EXPECT_EQ(sample.run(logits, {1e-45f, 5, all, 0}), 1);
  Guarded<float> near(std::vector<float>{1, 2, 3, 2, 1});
  EXPECT_EQ(sample.run(near, {1e-30f, 5, all, fraction(.99)}), 4);
  EXPECT_EQ(sample.run(near, {1e-30f, 5, all, fraction(.59)}), 2);
  EXPECT_EQ(sample.run(near, {3e38f, 5, fraction(1e-6), all}), 2);
}

} // namespace
