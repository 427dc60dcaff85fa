// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/runtime/Fixture.h"

#include <algorithm>

using namespace pmpd::test;

namespace {

class GenerateTest : public FakeModelTest {
protected:
  pmpd_generate_options options = PMPD_GENERATE_OPTIONS_INIT;
  std::vector<int32_t> prompt = {5, 4, 3};
  std::vector<int32_t> tokens = std::vector<int32_t>(kContext);
  int64_t count = -1;

  pmpd_status run(pmpd_session *session) {
    pmpd_status status =
        pmpd_generate(session, prompt.data(), int64_t(prompt.size()), &options,
                      tokens.data(), &count);
    tokens.resize(std::max<int64_t>(count, 0));
    return status;
  }
};

} // namespace

TEST_F(GenerateTest, produces_exactly_max_tokens_and_decodes_one_less) {
  for (int64_t most : {0, 1, 2, 10}) {
    SessionPtr session = newSession();
    options.max_tokens = most;
    tokens.resize(kContext);
    ASSERT_PMPD_OK(run(session.get()));
    EXPECT_EQ(count, most);
    EXPECT_EQ(pmpd_session_tokens(session.get()),
              3 + std::max<int64_t>(most - 1, 0));
  }
}

TEST_F(GenerateTest, stops_before_a_stop_token) {
  SessionPtr session = newSession();
  std::vector<int32_t> all = generate(session.get(), prompt, 12);
  int32_t stop = all[7];
  size_t first = std::find(all.begin(), all.end(), stop) - all.begin();
  int32_t stops[] = {stop};
  options.stop_tokens = stops;
  options.stop_count = 1;
  session = newSession();
  ASSERT_PMPD_OK(run(session.get()));
  EXPECT_EQ(size_t(count), first);
  EXPECT_TRUE(std::equal(tokens.begin(), tokens.end(), all.begin()));
}

TEST_F(GenerateTest, stops_when_the_callback_says_so) {
  options.on_token = [](void *, int64_t index, int32_t, int32_t) {
    return index == 4 ? 1 : 0;
  };
  ASSERT_PMPD_OK(run(newSession().get()));
  EXPECT_EQ(count, 5);
}

TEST_F(GenerateTest, stops_when_the_context_is_full) {
  SessionPtr session = newSession(1, 8);
  ASSERT_PMPD_OK(run(session.get()));
  EXPECT_EQ(count, 6); // prefill chooses one, five steps fill the context
  EXPECT_EQ(pmpd_session_tokens(session.get()), 8);
}

TEST_F(GenerateTest, refuses_a_prompt_longer_than_the_context) {
  SessionPtr session = newSession(1, 2);
  EXPECT_FAILS(PMPD_OUT_OF_CONTEXT, "at most 2", run(session.get()));
  EXPECT_EQ(count, 0);
}

TEST_F(GenerateTest, a_cancel_keeps_the_tokens_before_it) {
  SessionPtr session = newSession();
  struct User {
    pmpd_session *session;
  } user{session.get()};
  options.user = &user;
  options.on_token = [](void *user, int64_t index, int32_t, int32_t) {
    if (index == 3)
      pmpd_session_cancel(static_cast<User *>(user)->session);
    return 0;
  };
  EXPECT_FAILS(PMPD_CANCELLED, "cancelled", run(session.get()));
  EXPECT_EQ(count, 4);
  EXPECT_EQ(pmpd_session_tokens(session.get()), 3 + 3);
  std::vector<int32_t> kept = tokens;
  EXPECT_EQ(generate(newSession().get(), prompt, 4), kept);
}

TEST_F(GenerateTest, checks_its_options) {
  SessionPtr session = newSession();
  options.max_tokens = -1;
  EXPECT_FAILS(PMPD_BAD_ARGUMENT, "max_tokens", run(session.get()));
  options = PMPD_GENERATE_OPTIONS_INIT;
  options.stop_count = 1;
  EXPECT_FAILS(PMPD_BAD_ARGUMENT, "stop tokens", run(session.get()));
  options = PMPD_GENERATE_OPTIONS_INIT;
  options.sampling.top_p = 0;
  EXPECT_FAILS(PMPD_BAD_ARGUMENT, "top_p", run(session.get()));
  EXPECT_EQ(pmpd_session_tokens(session.get()), 0);
}

TEST_F(GenerateTest, a_seed_repeats_a_sample_and_another_does_not) {
  options.max_tokens = 30;
  options.sampling.temperature = 1.5f;
  options.sampling.seed = 42;
  ASSERT_PMPD_OK(run(newSession().get()));
  std::vector<int32_t> first = tokens;
  tokens.resize(kContext);
  ASSERT_PMPD_OK(run(newSession().get()));
  EXPECT_EQ(tokens, first);
  tokens.resize(kContext);
  options.sampling.seed = 43;
  ASSERT_PMPD_OK(run(newSession().get()));
  EXPECT_NE(tokens, first);
}

TEST_F(GenerateTest, goes_on_from_what_the_session_holds) {
  SessionPtr session = newSession();
  ASSERT_PMPD_OK(pmpd_prefill(session.get(), prompt.data(), 2, 0, nullptr));
  EXPECT_EQ(generate(session.get(), {prompt[2]}, 6),
            generate(newSession().get(), prompt, 6));
}
