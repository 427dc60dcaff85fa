// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/runtime/Fixture.h"

#include <cmath>
#include <limits>

using namespace pmpd::test;

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr int kDraws = 20000;

/// Shares of each token over many draws.
std::vector<double> drawShares(const std::vector<float> &logits,
                               pmpd_sampling sampling) {
  std::vector<double> shares(logits.size());
  uint64_t state = sampling.seed;
  for (int i = 0; i < kDraws; ++i) {
    int32_t token = -1;
    EXPECT_PMPD_OK(pmpd_sample(logits.data(), int32_t(logits.size()), &sampling,
                               &state, &token));
    shares.at(token) += 1.0 / kDraws;
  }
  return shares;
}

std::vector<double> softmax(const std::vector<float> &logits,
                            double temperature) {
  std::vector<double> result;
  double total = 0;
  for (float logit : logits) {
    result.push_back(std::exp(logit / temperature));
    total += result.back();
  }
  for (double &value : result)
    value /= total;
  return result;
}

/// Five standard deviations of a share of `kDraws` draws, and a bit.
void expectNear(const std::vector<double> &actual,
                const std::vector<double> &expected) {
  for (size_t i = 0; i < expected.size(); ++i) {
    double p = expected[i];
    EXPECT_NEAR(actual[i], p, 5 * std::sqrt(p * (1 - p) / kDraws) + 1e-9)
        << "token " << i;
  }
}

int32_t pickGreedy(const std::vector<float> &logits) {
  pmpd_sampling greedy = {0.0f, 0, 1.0f, 0};
  uint64_t state = 0;
  int32_t token = -1;
  EXPECT_PMPD_OK(pmpd_sample(logits.data(), int32_t(logits.size()), &greedy,
                             &state, &token));
  EXPECT_EQ(state, 0u); // greedy draws nothing
  return token;
}

const std::vector<float> kLogits = {0.5f, 2.0f, -1.0f, 1.5f, 1.0f, -kInfinity};

} // namespace

TEST(Sampling, greedy_takes_the_highest_and_the_lowest_index_of_equals) {
  EXPECT_EQ(pickGreedy({1.0f, 3.0f, 3.0f, 2.0f}), 1);
  EXPECT_EQ(pickGreedy({NAN, -5.0f, kInfinity, -4.0f}), 3);
}

TEST(Sampling, temperature_follows_the_softmax) {
  for (float temperature : {0.5f, 1.0f, 2.0f})
    expectNear(drawShares(kLogits, {temperature, 0, 1.0f, 1}),
               softmax(kLogits, temperature));
}

TEST(Sampling, top_k_keeps_the_likeliest) {
  std::vector<float> kept(kLogits.size(), -kInfinity);
  kept[1] = kLogits[1];
  kept[3] = kLogits[3];
  expectNear(drawShares(kLogits, {1.0f, 2, 1.0f, 2}), softmax(kept, 1));
}

TEST(Sampling, top_k_of_equals_keeps_the_lowest_indices) {
  expectNear(drawShares({1, 1, 1, 1}, {1.0f, 2, 1.0f, 3}), {0.5, 0.5, 0, 0});
}

TEST(Sampling, top_k_beyond_the_vocabulary_keeps_all) {
  expectNear(drawShares(kLogits, {1.0f, 100, 1.0f, 4}), softmax(kLogits, 1));
}

TEST(Sampling, top_p_keeps_the_fewest_that_reach_the_share) {
  // Shares 0.5, 0.3, 0.15, 0.05: two hold 0.8, so 0.81 needs a third.
  std::vector<float> logits;
  for (double share : {0.05, 0.5, 0.15, 0.3})
    logits.push_back(float(std::log(share)));
  expectNear(drawShares(logits, {1.0f, 0, 0.79f, 5}), {0, 0.625, 0, 0.375});
  expectNear(drawShares(logits, {1.0f, 0, 0.81f, 6}),
             {0, 0.5 / 0.95, 0.15 / 0.95, 0.3 / 0.95});
  expectNear(drawShares(logits, {1.0f, 0, 1e-6f, 7}), {0, 1, 0, 0});
}

TEST(Sampling, top_p_is_a_share_of_what_top_k_leaves) {
  std::vector<float> logits;
  for (double share : {0.4, 0.3, 0.2, 0.1})
    logits.push_back(float(std::log(share)));
  // Of the best two, the first holds 4/7, so 0.5 is reached by it alone.
  expectNear(drawShares(logits, {1.0f, 2, 0.5f, 8}), {1, 0, 0, 0});
}

TEST(Sampling, extreme_temperatures_stay_finite) {
  expectNear(drawShares({1000, 999, -1000}, {1e-4f, 0, 1.0f, 9}), {1, 0, 0});
  expectNear(drawShares({1, 2, 3}, {1e30f, 0, 1.0f, 10}),
             {1 / 3.0, 1 / 3.0, 1 / 3.0});
}

TEST(Sampling, the_generator_is_splitmix64) {
  // From seed 0 the first output is 0xe220a8397b1dcdaf, a share of 0.8833...
  std::vector<float> logits(10000, 0.0f);
  pmpd_sampling sampling = {1.0f, 0, 1.0f, 0};
  uint64_t state = 0;
  int32_t token = -1;
  ASSERT_PMPD_OK(pmpd_sample(logits.data(), 10000, &sampling, &state, &token));
  EXPECT_EQ(state, 0x9e3779b97f4a7c15u);
  EXPECT_EQ(token, 8833);
}

TEST(Sampling, refuses_what_is_out_of_range) {
  int32_t token = -1;
  auto sample = [&](std::vector<float> logits, pmpd_sampling sampling) {
    uint64_t state = 0;
    return pmpd_sample(logits.data(), int32_t(logits.size()), &sampling, &state,
                       &token);
  };
  EXPECT_FAILS(PMPD_BAD_ARGUMENT, "finite logit",
               sample({NAN, kInfinity}, {0.0f, 0, 1.0f, 0}));
  EXPECT_FAILS(PMPD_BAD_ARGUMENT, "temperature",
               sample({1}, {-0.5f, 0, 1.0f, 0}));
  EXPECT_FAILS(PMPD_BAD_ARGUMENT, "temperature",
               sample({1}, {NAN, 0, 1.0f, 0}));
  EXPECT_FAILS(PMPD_BAD_ARGUMENT, "top_k", sample({1}, {1.0f, -1, 1.0f, 0}));
  EXPECT_FAILS(PMPD_BAD_ARGUMENT, "top_p", sample({1}, {1.0f, 0, 1.5f, 0}));
  EXPECT_FAILS(PMPD_BAD_ARGUMENT, "top_p", sample({1}, {1.0f, 0, NAN, 0}));
  EXPECT_FAILS(PMPD_BAD_ARGUMENT, "NULL",
               pmpd_sample(nullptr, 1, nullptr, nullptr, nullptr));
  EXPECT_EQ(token, -1);
}
