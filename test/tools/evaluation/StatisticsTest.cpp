// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/evaluation/Statistics.h"

#include <cmath>
#include <gtest/gtest.h>
#include <random>

using namespace pmpd::tools;

TEST(EstimateMean, of_few_values) {
  EXPECT_EQ(estimateMean({}).mean, 0);
  Estimate one = estimateMean({3});
  EXPECT_EQ(one.low, 3);
  EXPECT_EQ(one.high, 3);
  EXPECT_EQ(estimateMean({1, 2}).mean, 1.5);
}

TEST(EstimateMean, interval_is_the_normal_one_for_many_values) {
  std::mt19937_64 random(2);
  std::normal_distribution<double> normal(10, 3);
  std::vector<double> values(400);
  double sum = 0, squares = 0;
  for (double &value : values)
    sum += value = normal(random);
  for (double value : values)
    squares += std::pow(value - sum / 400, 2);
  double half = 1.96 * std::sqrt(squares / 399 / 400);
  Estimate estimate = estimateMean(values);
  EXPECT_NEAR(estimate.mean, sum / 400, 1e-12);
  EXPECT_NEAR(estimate.high - estimate.mean, half, 0.1 * half);
  EXPECT_NEAR(estimate.mean - estimate.low, half, 0.1 * half);
}

TEST(EstimateMean, repeats) {
  std::vector<double> values = {1, 5, 2, 8, 3};
  EXPECT_EQ(estimateMean(values).low, estimateMean(values).low);
}
