// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Codegen/Target.h"

#include <gtest/gtest.h>

using namespace pmpd::codegen;

namespace {

TEST(Target, names_round_trip) {
  for (ISA isa : {ISA::Portable, ISA::AVX2, ISA::AVXVNNI, ISA::AVX512VNNI})
    EXPECT_EQ(parseISA(stringifyISA(isa)), isa);
  EXPECT_EQ(parseISA("avx3"), std::nullopt);
}

TEST(Target, takes_the_best_of_the_features) {
  llvm::Triple x86("x86_64-linux-gnu");
  for (ISA isa : {ISA::Portable, ISA::AVX2, ISA::AVXVNNI, ISA::AVX512VNNI}) {
    Target target = Target::fromFeatures(x86, requiredFeatures(isa));
    EXPECT_EQ(target.isa, isa);
    EXPECT_EQ(target.nativeHalf, isa != ISA::Portable);
  }
}

TEST(Target, honours_a_disabled_feature) {
  llvm::Triple x86("x86_64-linux-gnu");
  std::string features = requiredFeatures(ISA::AVX512VNNI).str();
  EXPECT_EQ(Target::fromFeatures(x86, features + ",-avx512vnni").isa,
            ISA::AVX2);
  EXPECT_EQ(Target::fromFeatures(x86, features + ",-fma").isa, ISA::Portable);
}

TEST(Target, aarch64_converts_halves) {
  Target target =
      Target::fromFeatures(llvm::Triple("aarch64-linux-gnu"), "+neon");
  EXPECT_EQ(target.isa, ISA::Portable);
  EXPECT_TRUE(target.nativeHalf);
}

} // namespace
