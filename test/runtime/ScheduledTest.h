// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_TEST_RUNTIME_SCHEDULEDTEST_H
#define PMPD_TEST_RUNTIME_SCHEDULEDTEST_H

#include "test/runtime/Fixture.h"

namespace pmpd::test {

/// Runs the fake model under schedules given as text.
class ScheduledTest : public FakeModelTest {
protected:
  /// A session under a schedule; expects success.
  SessionPtr scheduled(const std::string &text) {
    SessionPtr session = newSession();
    EXPECT_PMPD_OK(pmpd_session_set_scheduler(session.get(), text.c_str()));
    return session;
  }

  void expectRefused(const std::string &text, const std::string &part,
                     pmpd_status expected = PMPD_BAD_ARGUMENT) {
    SessionPtr session = newSession();
    EXPECT_FAILS(expected, part,
                 pmpd_session_set_scheduler(session.get(), text.c_str()));
    EXPECT_EQ(bitsOf(session.get(), {1}, 3), (std::vector<int32_t>{4, 4, 4}));
  }

  /// The bits of the tokens generated after a prompt.
  std::vector<int32_t> bitsOf(pmpd_session *session,
                              const std::vector<int32_t> &prompt,
                              int64_t tokens) {
    std::vector<int32_t> bits;
    pmpd_generate_options options = PMPD_GENERATE_OPTIONS_INIT;
    options.max_tokens = tokens;
    options.user = &bits;
    options.on_token = [](void *user, int64_t, int32_t, int32_t used) {
      static_cast<std::vector<int32_t> *>(user)->push_back(used);
      return 0;
    };
    EXPECT_PMPD_OK(pmpd_generate(session, prompt.data(), int64_t(prompt.size()),
                                 &options, nullptr, nullptr));
    return bits;
  }
};

} // namespace pmpd::test

#endif // PMPD_TEST_RUNTIME_SCHEDULEDTEST_H
