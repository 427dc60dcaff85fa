// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/runtime/Fixture.h"

using namespace pmpd::test;

namespace {

class ScheduleTest : public FakeModelTest {};

void expectRefused(const char *text, const char *part) {
  pmpd_switch_point points[4];
  size_t count = 77;
  EXPECT_FAILS(PMPD_BAD_ARGUMENT, part,
               pmpd_schedule_parse(text, points, 4, &count));
  EXPECT_EQ(count, 77u) << text;
}

/// The bits of tokens 0 .. n-1 as generation reports them.
std::vector<int32_t> reportedBits(pmpd_session *session, int64_t tokens) {
  std::vector<int32_t> bits;
  pmpd_generate_options options = PMPD_GENERATE_OPTIONS_INIT;
  options.max_tokens = tokens;
  options.user = &bits;
  options.on_token = [](void *user, int64_t, int32_t, int32_t used) {
    static_cast<std::vector<int32_t> *>(user)->push_back(used);
    return 0;
  };
  int32_t prompt[] = {1, 2};
  EXPECT_PMPD_OK(pmpd_generate(session, prompt, 2, &options, nullptr, nullptr));
  return bits;
}

} // namespace

TEST(ScheduleParse, reads_switch_points) {
  pmpd_switch_point points[3];
  size_t count = 0;
  ASSERT_PMPD_OK(pmpd_schedule_parse("4@0,3@64,2@160", points, 3, &count));
  ASSERT_EQ(count, 3u);
  EXPECT_EQ(points[1].bits, 3);
  EXPECT_EQ(points[1].start, 64);
  EXPECT_EQ(points[2].bits, 2);
  EXPECT_EQ(points[2].start, 160);
}

TEST(ScheduleParse, says_what_is_wrong_and_where) {
  expectRefused("", "expected bits at character 1, but got the end");
  expectRefused("x", "expected bits at character 1, but got 'x'");
  expectRefused("4", "expected '@' and a token index at character 2");
  expectRefused("4@", "expected a token index at character 3");
  expectRefused("4@-1", "expected a token index at character 3");
  expectRefused("4@0,", "expected bits at character 5, but got the end");
  expectRefused("4@0;3@5",
                "expected ',' or the end at character 4, but got ';3@5'");
  expectRefused("4@0, 3@5", "expected bits at character 5");
  expectRefused("99999999999@0", "expected bits at character 1");
  expectRefused("4@1", "first switch point is at token index 0");
  expectRefused("4@0,3@9,2@9", "9 follows 9");
  expectRefused("4@0,4@1,3@2,3@3,2@4", "at most 4 switch points");
}

TEST_F(ScheduleTest, refuses_points_and_bits_it_cannot_run) {
  SessionPtr session = newSession();
  pmpd_switch_point late[] = {{4, 1}};
  EXPECT_FAILS(PMPD_BAD_ARGUMENT, "index 0",
               pmpd_session_set_schedule(session.get(), late, 1));
  EXPECT_FAILS(PMPD_BAD_ARGUMENT, "index 0",
               pmpd_session_set_schedule(session.get(), late, 0));
  EXPECT_FAILS(PMPD_BAD_ARGUMENT, "NULL",
               pmpd_session_set_schedule(session.get(), nullptr, 1));
  EXPECT_FAILS(PMPD_BAD_ARGUMENT, "NULL",
               pmpd_session_set_callback(session.get(), nullptr, nullptr));
  pmpd_switch_point five[] = {{5, 0}};
  EXPECT_FAILS(PMPD_UNSUPPORTED_BITS, "decode bits of 4, 3, 2, but got 5",
               pmpd_session_set_schedule(session.get(), five, 1));
}

TEST_F(ScheduleTest, the_default_is_the_highest_compiled) {
  std::vector<int32_t> expected = {4, 4, 4};
  EXPECT_EQ(reportedBits(newSession().get(), 3), expected);
}

TEST_F(ScheduleTest, bits_follow_the_token_index) {
  SessionPtr session = newSession();
  setSchedule(session.get(), "4@0,3@3,2@5");
  std::vector<int32_t> expected = {4, 4, 4, 3, 3, 2, 2};
  EXPECT_EQ(reportedBits(session.get(), 7), expected);
}

TEST_F(ScheduleTest, token_0_has_the_bits_of_prefill_and_no_other_step) {
  SessionPtr session = newSession();
  setSchedule(session.get(), "2@0");
  std::vector<int32_t> expected = {4, 2, 2};
  EXPECT_EQ(reportedBits(session.get(), 3), expected);
}

TEST_F(ScheduleTest, the_index_restarts_with_every_prefill) {
  SessionPtr session = newSession();
  setSchedule(session.get(), "4@0,2@2");
  std::vector<int32_t> expected = {4, 4, 2, 2};
  EXPECT_EQ(reportedBits(session.get(), 4), expected);
  EXPECT_EQ(reportedBits(session.get(), 4), expected);
}

TEST_F(ScheduleTest, the_index_goes_back_with_a_truncation) {
  SessionPtr session = newSession();
  setSchedule(session.get(), "4@0,2@2");
  reportedBits(session.get(), 4);
  std::vector<float> logits(kVocab);
  int32_t bits = 0;
  ASSERT_PMPD_OK(pmpd_session_truncate(session.get(), 2)); // the prompt
  ASSERT_PMPD_OK(pmpd_decode(session.get(), 1, logits.data(), &bits));
  EXPECT_EQ(bits, 4); // token 1
  ASSERT_PMPD_OK(pmpd_decode(session.get(), 1, logits.data(), &bits));
  EXPECT_EQ(bits, 2); // token 2
}

TEST_F(ScheduleTest, a_switch_equals_a_run_with_those_bits) {
  SessionPtr session = newSession();
  setSchedule(session.get(), "4@0,3@4,2@9");
  std::vector<int32_t> prompt = {9, 8, 7, 6, 5, 4, 3};
  std::vector<int32_t> tokens = generate(session.get(), prompt, 20);
  Reference reference;
  std::vector<float> logits = reference.run(PMPD_PREFILL, 4, prompt);
  for (int32_t index = 0; index < 20; ++index) {
    ASSERT_EQ(tokens[index], argmax(logits)) << index;
    int32_t next = index + 1;
    logits = reference.run(PMPD_DECODE,
                           next < 4   ? 4
                           : next < 9 ? 3
                                      : 2,
                           {tokens[index]});
  }
  SessionPtr constant = newSession();
  EXPECT_NE(generate(constant.get(), prompt, 20), tokens);
}

TEST_F(ScheduleTest, a_switch_leaves_the_cache_of_earlier_tokens_alone) {
  SessionPtr session = newSession();
  setSchedule(session.get(), "4@0,2@3");
  std::vector<float> logits(kVocab);
  int32_t prompt[] = {1, 2, 3};
  ASSERT_PMPD_OK(pmpd_prefill(session.get(), prompt, 3, 0, nullptr));
  for (int32_t index = 1; index < 6; ++index) {
    const void *start = nullptr;
    ASSERT_PMPD_OK(pmpd_session_kv(session.get(), 0, &start, nullptr));
    auto *kv = static_cast<const float *>(start);
    std::vector<float> before(kv, kv + fakeModel()->kv_bytes / sizeof(float));
    ASSERT_PMPD_OK(pmpd_decode(session.get(), index, logits.data(), nullptr));
    const int64_t added = pmpd_session_tokens(session.get()) - 1;
    for (size_t i = 0; i < before.size(); ++i)
      if (int64_t(i / kHeadDim % kContext) != added)
        ASSERT_EQ(kv[i], before[i]) << "position " << i / kHeadDim % kContext;
  }
}

TEST_F(ScheduleTest, a_callback_sees_every_step) {
  struct Seen {
    std::vector<int64_t> indices;
    std::vector<int32_t> bits, best;
    std::vector<int64_t> held;
  } seen;
  SessionPtr session = newSession(1, 0, 3);
  auto alternate = [](void *user, const pmpd_step *step) -> int32_t {
    auto *seen = static_cast<Seen *>(user);
    seen->indices.push_back(step->index);
    seen->bits.push_back(step->bits);
    seen->best.push_back(argmax({step->logits, step->logits + step->vocab}));
    seen->held.push_back(pmpd_session_tokens(step->session));
    return step->index % 2 ? 2 : 4;
  };
  ASSERT_PMPD_OK(pmpd_session_set_callback(session.get(), alternate, &seen));
  std::vector<int32_t> tokens = generate(session.get(), {1, 2}, 5);
  EXPECT_EQ(seen.indices, (std::vector<int64_t>{1, 2, 3, 4}));
  EXPECT_EQ(seen.bits, (std::vector<int32_t>{3, 2, 4, 2}));
  EXPECT_EQ(seen.held, (std::vector<int64_t>{2, 3, 4, 5}));
  tokens.pop_back();
  EXPECT_EQ(seen.best, tokens); // greedy: each step follows its best logit
}

TEST_F(ScheduleTest, a_step_without_logits_before_it_has_none) {
  SessionPtr session = newSession();
  int64_t index = -1;
  auto look = [](void *user, const pmpd_step *step) -> int32_t {
    *static_cast<int64_t *>(user) = step->logits ? -2 : step->index;
    return 4;
  };
  pmpd_session_set_callback(session.get(), look, &index);
  std::vector<float> logits(kVocab);
  ASSERT_PMPD_OK(pmpd_decode(session.get(), 1, logits.data(), nullptr));
  EXPECT_EQ(index, 0); // an empty session chooses token 0 by decoding
}

TEST_F(ScheduleTest, refuses_bits_a_callback_made_up) {
  SessionPtr session = newSession();
  pmpd_session_set_callback(
      session.get(), [](void *, const pmpd_step *) -> int32_t { return 7; },
      nullptr);
  std::vector<float> logits(kVocab);
  EXPECT_FAILS(PMPD_UNSUPPORTED_BITS, "but got 7",
               pmpd_decode(session.get(), 1, logits.data(), nullptr));
  EXPECT_EQ(pmpd_session_tokens(session.get()), 0);
}
