// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/pmpd-tune/Search.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <map>
#include <random>
#include <set>

using namespace pmpd::tools;

namespace {

using Quality = std::map<std::pair<int32_t, Levels>, double>;

/// Every sequence over a ladder, rising ones as well.
std::vector<Levels> allSequences(const std::vector<int32_t> &ladder,
                                 int segments) {
  std::vector<Levels> found = {{}};
  for (int k = 0; k < segments; ++k) {
    std::vector<Levels> longer;
    for (const Levels &levels : found)
      for (int32_t bits : ladder) {
        longer.push_back(levels);
        longer.back().push_back(bits);
      }
    found = std::move(longer);
  }
  return found;
}

std::vector<Levels> schedulesOf(const std::vector<int32_t> &ladder,
                                int segments) {
  std::vector<Levels> found = allSequences(ladder, segments);
  found.erase(std::remove_if(found.begin(), found.end(),
                             [](const Levels &levels) {
                               return !std::is_sorted(levels.rbegin(),
                                                      levels.rend());
                             }),
              found.end());
  return found;
}

double meanBits(const Segments &segments, const Levels &levels) {
  double sum = 0;
  int k = 0;
  for (int64_t index = 1; index < segments.tokens; ++index) {
    while (index >= segments.start(k + 1))
      ++k;
    sum += levels[k];
  }
  return sum / double(segments.tokens - 1);
}

/// Losses that fall with the bits of every segment and with prefill's.
Quality monotone(const SearchSpace &space, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> uniform(0, 1);
  const int segments = space.segments.count;
  std::vector<double> weights(segments);
  for (double &weight : weights)
    weight = std::pow(uniform(random), 3);
  double curve = 1 + 2 * uniform(random), prefillWeight = uniform(random);
  Quality losses;
  for (int32_t prefill : space.prefill)
    for (const Levels &levels : schedulesOf(space.decode, segments)) {
      double loss = 10 + prefillWeight * std::pow(2.0, -prefill);
      for (int k = 0; k < segments; ++k)
        loss += weights[k] * std::pow(2.0, -curve * levels[k]);
      losses[{prefill, levels}] = loss;
    }
  return losses;
}

SearchResult search(const SearchSpace &space, const Quality &losses,
                    double most, int *tried = nullptr) {
  return searchSchedules(
      space, [&](double) { return most; },
      [&](int32_t prefill, const std::vector<Levels> &schedules) {
        std::vector<double> found;
        for (const Levels &levels : schedules)
          found.push_back(losses.at({prefill, levels}));
        if (tried)
          *tried += int(schedules.size());
        return found;
      });
}

/// The fewest average decode bits, then prefill bits, of any schedule that is
/// not above its prefill and meets the limit.
std::pair<double, int32_t> fewestBits(const SearchSpace &space,
                                      const Quality &losses, double most) {
  std::pair<double, int32_t> fewest = {space.decode.front(),
                                       space.prefill.front()};
  for (const auto &[key, loss] : losses)
    if (key.second.front() <= key.first && loss <= most)
      fewest =
          std::min(fewest, {meanBits(space.segments, key.second), key.first});
  return fewest;
}

} // namespace

TEST(Segments, cut_the_tokens_without_a_gap) {
  for (int64_t tokens : {1, 2, 7, 96, 256})
    for (int count : {1, 2, 3, 7, 64}) {
      if (count > tokens)
        continue;
      Segments segments{tokens, count};
      EXPECT_EQ(segments.start(0), 0);
      EXPECT_EQ(segments.start(count), tokens);
      for (int k = 0; k < count; ++k) {
        int64_t length = segments.start(k + 1) - segments.start(k);
        EXPECT_GE(length, tokens / count);
        EXPECT_LE(length, tokens / count + 1);
      }
    }
}

TEST(Segments, average_bits_over_decode_steps) {
  EXPECT_EQ((Segments{1, 1}).averageBits({3}), 3);
  // Indices 1 .. 2 at 4 bits, 3 .. 5 at 3, 6 .. 8 at 2: prefill chooses 0.
  EXPECT_DOUBLE_EQ((Segments{9, 3}).averageBits({4, 3, 2}), 23.0 / 8);
  Segments segments{50, 4};
  for (const Levels &levels : schedulesOf({4, 3, 2}, 4))
    EXPECT_DOUBLE_EQ(segments.averageBits(levels), meanBits(segments, levels));
}

TEST(Segments, write_a_schedule_with_its_switch_points_alone) {
  EXPECT_EQ((Segments{96, 3}).schedule({4, 4, 2}), "4@0,2@64");
  EXPECT_EQ((Segments{96, 3}).schedule({3, 3, 3}), "3@0");
  EXPECT_EQ((Segments{10, 4}).schedule({8, 4, 3, 2}), "8@0,4@2,3@5,2@7");
}

TEST(Search, enumerates_schedules_that_do_not_rise) {
  for (const std::vector<int32_t> &ladder :
       {std::vector<int32_t>{4}, {4, 2}, {4, 3, 2}, {8, 4, 3, 2, 1}})
    for (int segments : {1, 2, 3, 5}) {
      std::vector<Levels> found = nonIncreasing(ladder, segments);
      std::vector<Levels> expected = schedulesOf(ladder, segments);
      std::sort(expected.rbegin(), expected.rend());
      EXPECT_EQ(found, expected);
      EXPECT_EQ(countNonIncreasing(ladder.size(), segments, 100000),
                expected.size());
    }
  EXPECT_EQ(countNonIncreasing(8, 1000, 5000), 5000u);
}

TEST(Search, exhaustive_agrees_with_brute_force_on_any_quality) {
  SearchSpace space = {{4}, {4, 3, 2}, {96, 3}, 1000};
  for (unsigned seed = 0; seed < 300; ++seed) {
    std::mt19937 random(seed);
    std::uniform_real_distribution<double> uniform(0, 1);
    Quality losses;
    for (const Levels &levels : schedulesOf(space.decode, 3))
      losses[{4, levels}] = uniform(random);
    double most = losses.at({4, {4, 4, 4}}) + 0.2 * uniform(random);
    SearchResult result = search(space, losses, most);
    EXPECT_LE(result.best.loss, most);
    EXPECT_EQ(result.tried.size(), losses.size());
    EXPECT_DOUBLE_EQ(result.best.averageBits,
                     fewestBits(space, losses, most).first);
  }
}

TEST(Search, finds_the_smallest_constant_pair) {
  SearchSpace space = {{4, 3}, {4, 3, 2}, {96, 3}, 1000};
  for (unsigned seed = 0; seed < 300; ++seed) {
    std::mt19937 random(seed);
    std::uniform_real_distribution<double> uniform(0, 1);
    Quality losses;
    for (int32_t prefill : space.prefill)
      for (const Levels &levels : schedulesOf(space.decode, 3))
        losses[{prefill, levels}] = uniform(random);
    double most = losses.at({4, {4, 4, 4}}) + 0.2 * uniform(random);
    SearchResult result = search(space, losses, most);
    std::pair<int32_t, int32_t> smallest = {4, 4};
    for (const auto &[key, loss] : losses)
      if (loss <= most && key.second.front() == key.second.back() &&
          key.second.front() <= key.first)
        smallest = std::min(smallest, {key.second.front(), key.first});
    EXPECT_EQ(result.pair.levels.front(), smallest.first);
    EXPECT_EQ(result.pair.prefillBits, smallest.second);
    EXPECT_LE(result.best.loss, most);
    EXPECT_LE(result.best.averageBits, result.pair.averageBits);
  }
}

TEST(Search, agrees_with_brute_force_where_bits_help) {
  for (size_t exhaustive : {0, 1000}) {
    SearchSpace space = {{4, 3, 2}, {4, 3, 2}, {96, 6}, exhaustive};
    int tried = 0;
    size_t all = 0;
    for (unsigned seed = 0; seed < 200; ++seed) {
      Quality losses = monotone(space, seed);
      double least = losses.at({4, Levels(6, 4)}),
             most = losses.at({2, Levels(6, 2)});
      double limit = least + (most - least) * (seed % 10) / 9.0;
      SearchResult result = search(space, losses, limit, &tried);
      all += losses.size() / 3;
      EXPECT_LE(result.best.loss, limit);
      auto [bits, prefill] = fewestBits(space, losses, limit);
      EXPECT_DOUBLE_EQ(result.best.averageBits, bits) << "seed " << seed;
      EXPECT_EQ(result.best.prefillBits, prefill) << "seed " << seed;
    }
    if (exhaustive == 0)
      EXPECT_LT(tried, int(all / 2)); // else pruning is for nothing
  }
}

TEST(Search, keeps_the_highest_bits_if_nothing_else_is_good_enough) {
  SearchSpace space = {{4}, {4, 3, 2}, {96, 3}, 1000};
  Quality losses = monotone(space, 5);
  SearchResult result = search(space, losses, losses.at({4, Levels(3, 4)}));
  EXPECT_EQ(result.best.levels, Levels(3, 4));
  EXPECT_EQ(result.best.prefillBits, 4);
}

TEST(Search, finds_the_front) {
  std::mt19937 random(2);
  for (int round = 0; round < 100; ++round) {
    std::vector<Candidate> all;
    for (int i = 0; i < 30; ++i)
      all.push_back({4, {i}, double(random() % 12), double(random() % 12)});
    std::set<std::pair<double, double>> expected, found;
    for (const Candidate &one : all)
      if (std::none_of(all.begin(), all.end(), [&](const Candidate &other) {
            return other.averageBits <= one.averageBits &&
                   other.loss <= one.loss &&
                   (other.averageBits < one.averageBits ||
                    other.loss < one.loss);
          }))
        expected.insert({one.averageBits, one.loss});
    std::vector<Candidate> front = paretoFront(all);
    for (const Candidate &one : front)
      found.insert({one.averageBits, one.loss});
    EXPECT_EQ(found, expected);
    EXPECT_EQ(front.size(), expected.size());
  }
}
