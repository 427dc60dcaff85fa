// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/CpuFeatures.h"

#include <gtest/gtest.h>

using pmpd::rt::missingCpuFeatures;

TEST(CpuFeatures, needs_nothing_of_an_empty_list) {
  EXPECT_TRUE(missingCpuFeatures("").empty());
}

TEST(CpuFeatures, finds_what_every_cpu_of_the_architecture_has) {
#if defined(__x86_64__)
  EXPECT_TRUE(missingCpuFeatures("sse2,64bit,cx8").empty());
#elif defined(__aarch64__)
  EXPECT_TRUE(missingCpuFeatures("neon,fp-armv8").empty());
#endif
}

TEST(CpuFeatures, names_each_that_is_missing_or_unknown) {
  std::vector<std::string> expected = {"quantum", "flux"};
  EXPECT_EQ(missingCpuFeatures("quantum,flux"), expected);
}

TEST(CpuFeatures, does_not_take_a_part_of_a_name) {
  EXPECT_EQ(missingCpuFeatures("sse").size() + 1,
            missingCpuFeatures("sse,ss").size());
}
