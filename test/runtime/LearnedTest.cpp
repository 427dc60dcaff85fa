// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/runtime/ScheduledTest.h"

#include <set>

using namespace pmpd::test;

namespace {

class LearnedTest : public ScheduledTest {
protected:
  /// Class of every pair after a prompt, worked out without the runtime.
  std::pair<int32_t, int32_t> classes(const std::vector<int32_t> &prompt) {
    Reference reference;
    reference.run(PMPD_PREFILL, 4, prompt);
    auto of = [&](int32_t from) {
      return fakeClass(reference.kv().data(), int64_t(prompt.size()), from);
    };
    return {of(4), of(3)};
  }

  /// Bits of the tokens of an answer when class c lasts for T * c / 3 tokens.
  std::vector<int32_t> expected(std::pair<int32_t, int32_t> classes, int64_t T,
                                int64_t tokens) {
    std::vector<int32_t> bits = {4}; // of the prompt
    for (int64_t i = 1; i < tokens; ++i) {
      auto high = [&](int32_t c) { return c == 3 || i < T * c / 3; };
      bits.push_back(high(classes.first) ? 4 : high(classes.second) ? 3 : 2);
    }
    return bits;
  }
};

} // namespace

TEST_F(LearnedTest, follows_the_classes_of_the_prompt) {
  SessionPtr session = scheduled("learned");
  std::set<std::pair<int32_t, int32_t>> seen;
  for (int32_t i = 0; i < 60; ++i) {
    std::vector<int32_t> prompt = {i, (i * 7) % kVocab, 3, 5};
    prompt.resize(1 + i % 4);
    pmpd_session_reset(session.get()); // decisions of the last must not stay
    int64_t tokens = 12 + i % 5;
    EXPECT_EQ(bitsOf(session.get(), prompt, tokens),
              expected(classes(prompt), tokens, tokens))
        << i;
    seen.insert(classes(prompt));
  }
  EXPECT_GT(seen.size(), 8u); // of 16, or the test would say little
}

TEST_F(LearnedTest, takes_T_from_the_text_or_the_request) {
  const std::vector<int32_t> prompt = {9, 4};
  for (int64_t T : {3, 10, 30})
    EXPECT_EQ(
        bitsOf(scheduled("learned:T=" + std::to_string(T)).get(), prompt, 20),
        expected(classes(prompt), T, 20));
}

TEST_F(LearnedTest, leaves_out_bits_that_are_not_wanted) {
  for (int32_t i = 0; i < 20; ++i) {
    const std::vector<int32_t> prompt = {i, 2};
    auto [first, second] = classes(prompt);
    EXPECT_EQ(bitsOf(scheduled("learned:to=3").get(), prompt, 20),
              expected({first, 3}, 20, 20));
    std::vector<int32_t> low =
        bitsOf(scheduled("learned:from=3").get(), prompt, 20);
    std::vector<int32_t> all = expected({0, second}, 20, 20);
    all[0] = low[0];
    EXPECT_EQ(low, all);
  }
}

TEST_F(LearnedTest, keeps_the_bits_where_logits_are_no_numbers) {
  std::vector<int32_t> prompt(kUnsureTokens, 7);
  EXPECT_EQ(bitsOf(scheduled("learned").get(), prompt, 9),
            std::vector<int32_t>(9, 4));
}

TEST_F(LearnedTest, decides_once_even_if_tokens_are_taken_back) {
  SessionPtr session = scheduled("learned:T=20");
  const std::vector<int32_t> prompt = {11, 2, 8};
  std::vector<int32_t> before = bitsOf(session.get(), prompt, 20);
  ASSERT_PMPD_OK(pmpd_session_truncate(session.get(), 3 + 5));
  std::vector<float> logits(kVocab);
  for (size_t index = 6; index < before.size(); ++index) {
    int32_t bits = 0;
    ASSERT_PMPD_OK(pmpd_decode(session.get(), 1, logits.data(), &bits));
    EXPECT_EQ(bits, before[index]) << index;
  }
}

TEST_F(LearnedTest, counts_the_time_of_a_decision_once) {
  SessionPtr session = scheduled("learned");
  auto seconds = [&] {
    pmpd_stats stats;
    pmpd_session_stats(session.get(), &stats);
    return stats.scheduler_seconds;
  };
  std::vector<float> logits(kVocab);
  const std::vector<int32_t> prompt = {4, 2};
  ASSERT_PMPD_OK(
      pmpd_prefill(session.get(), prompt.data(), 2, 1, logits.data()));
  EXPECT_EQ(seconds(), 0);
  ASSERT_PMPD_OK(pmpd_decode(session.get(), 1, logits.data(), nullptr));
  const double once = seconds();
  EXPECT_GT(once, 0);
  ASSERT_PMPD_OK(pmpd_decode(session.get(), 1, logits.data(), nullptr));
  EXPECT_EQ(seconds(), once);
}

TEST_F(LearnedTest, says_how_to_compile_a_classifier_in) {
  expectRefused("learned:T=x", "a number of tokens");
  expectRefused("learned:bits=3", "expected one of T=, from=, to=");
  expectRefused("learned:from=2", "at least two decode bits to switch between, "
                                  "but got only 2");
  pmpd_model *opened = nullptr;
  ASSERT_PMPD_OK(pmpd_model_open(
      fakeLongModel(), dir.path("fake.pmpdw").c_str(), nullptr, &opened));
  ModelPtr plain(opened);
  pmpd_session *session = nullptr;
  ASSERT_PMPD_OK(pmpd_session_create(plain.get(), nullptr, &session));
  SessionPtr owner(session);
  EXPECT_FAILS(PMPD_BAD_ARGUMENT,
               "no learned scheduler was compiled in; recompile with "
               "--scheduler learned:FILE.onnx",
               pmpd_session_set_scheduler(session, "learned"));
}
