// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/runtime/Fixture.h"

#include <set>
#include <thread>

using namespace pmpd::test;

TEST(Status, every_status_has_a_name_of_its_own) {
  std::set<std::string> names;
  for (int status = PMPD_OK; status <= PMPD_INTERNAL; ++status)
    names.insert(pmpd_status_name(pmpd_status(status)));
  EXPECT_EQ(names.size(), size_t(PMPD_INTERNAL) + 1);
  EXPECT_STREQ(pmpd_status_name(PMPD_BAD_MODEL), "PMPD_BAD_MODEL");
  EXPECT_STREQ(pmpd_status_name(pmpd_status(15)), "unknown pmpd_status");
}

TEST(Status, last_error_belongs_to_the_thread) {
  size_t count;
  ASSERT_EQ(pmpd_schedule_parse(nullptr, nullptr, 0, &count),
            PMPD_BAD_ARGUMENT);
  std::string other = "not run";
  std::thread([&] { other = pmpd_last_error(); }).join();
  EXPECT_EQ(other, "");
  EXPECT_STRNE(pmpd_last_error(), "");
}

class StatusTest : public FakeModelTest {};

TEST_F(StatusTest, a_throwing_schedule_becomes_a_status) {
  SessionPtr session = newSession();
  pmpd_session_set_callback(
      session.get(),
      [](void *, const pmpd_step *) -> int32_t {
        throw std::runtime_error("from the schedule");
      },
      nullptr);
  std::vector<float> logits(kVocab);
  EXPECT_FAILS(PMPD_INTERNAL, "from the schedule",
               pmpd_decode(session.get(), 1, logits.data(), nullptr));
  EXPECT_EQ(pmpd_session_tokens(session.get()), 0);
}

TEST_F(StatusTest, a_throwing_token_callback_becomes_a_status) {
  SessionPtr session = newSession();
  pmpd_generate_options options = PMPD_GENERATE_OPTIONS_INIT;
  options.on_token = [](void *, int64_t, int32_t, int32_t) -> int { throw 7; };
  int32_t prompt = 1;
  EXPECT_FAILS(
      PMPD_INTERNAL, "unknown exception",
      pmpd_generate(session.get(), &prompt, 1, &options, nullptr, nullptr));
}

TEST_F(StatusTest, an_option_struct_without_its_size_is_refused) {
  pmpd_session_options options = {};
  pmpd_session *session = nullptr;
  EXPECT_FAILS(PMPD_BAD_ARGUMENT, "struct_bytes",
               pmpd_session_create(model.get(), &options, &session));
}

TEST_F(StatusTest, a_shorter_option_struct_leaves_the_rest_at_defaults) {
  pmpd_session_options options = {offsetof(pmpd_session_options, context), 1,
                                  1000000, 77};
  pmpd_session *session = nullptr;
  EXPECT_PMPD_OK(pmpd_session_create(model.get(), &options, &session));
  pmpd_session_destroy(session);
}
