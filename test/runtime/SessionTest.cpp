// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/runtime/Fixture.h"

#include <atomic>
#include <cstring>
#include <sys/mman.h>
#include <thread>
#include <unistd.h>

using namespace pmpd::test;

namespace {

class SessionTest : public FakeModelTest {
protected:
  static std::vector<int32_t> someTokens(int64_t count) {
    std::vector<int32_t> tokens(count);
    for (int64_t i = 0; i < count; ++i)
      tokens[i] = int32_t(i * 17 % kVocab);
    return tokens;
  }

  static pmpd_status prefill(const SessionPtr &session,
                             const std::vector<int32_t> &tokens,
                             std::vector<float> *logits = nullptr) {
    return pmpd_prefill(session.get(), tokens.data(), int64_t(tokens.size()),
                        logits ? int64_t(logits->size() / kVocab) : 0,
                        logits ? logits->data() : nullptr);
  }

  static pmpd_status create(pmpd_model *model, pmpd_session_options options) {
    pmpd_session *session = nullptr;
    pmpd_status status = pmpd_session_create(model, &options, &session);
    pmpd_session_destroy(session);
    return status;
  }
};

/// Bytes of the session's KV cache that are in memory.
uint64_t residentBytes(const SessionPtr &session, uint64_t kvBytes) {
  const void *start = nullptr; // layer 0 is first, and on a page
  EXPECT_PMPD_OK(pmpd_session_kv(session.get(), 0, &start, nullptr));
  const uint64_t pageBytes = uint64_t(sysconf(_SC_PAGESIZE));
  std::vector<unsigned char> pages((kvBytes + pageBytes - 1) / pageBytes);
  EXPECT_EQ(mincore(const_cast<void *>(start), kvBytes, pages.data()), 0);
  uint64_t resident = 0;
  for (unsigned char page : pages)
    resident += page & 1;
  return resident * pageBytes;
}

} // namespace

TEST_F(SessionTest, checks_its_options) {
  pmpd_session_options options = PMPD_SESSION_OPTIONS_INIT;
  options.threads = -1;
  EXPECT_FAILS(PMPD_BAD_ARGUMENT, "threads", create(model.get(), options));
  options = PMPD_SESSION_OPTIONS_INIT;
  options.context = kContext + 1;
  EXPECT_FAILS(PMPD_BAD_ARGUMENT, "context of 0 .. 64, but got 65",
               create(model.get(), options));
  options = PMPD_SESSION_OPTIONS_INIT;
  options.prefill_bits = 2;
  EXPECT_FAILS(PMPD_UNSUPPORTED_BITS, "prefill bits of 4, 3, but got 2",
               create(model.get(), options));
}

TEST_F(SessionTest, prefill_in_chunks_equals_row_by_row) {
  for (int32_t count : {1, kPrefillRows - 1, kPrefillRows, kPrefillRows + 1,
                        3 * kPrefillRows, 23}) {
    SessionPtr session = newSession();
    std::vector<float> logits(kVocab);
    ASSERT_PMPD_OK(prefill(session, someTokens(count), &logits));
    Reference reference;
    EXPECT_EQ(logits, reference.run(PMPD_PREFILL, 4, someTokens(count)));
    EXPECT_EQ(pmpd_session_tokens(session.get()), count);
  }
}

TEST_F(SessionTest, prefill_gives_the_logits_of_every_trailing_row) {
  const std::vector<int32_t> tokens = someTokens(13);
  for (int64_t rows : {2, 3, 4, 8, 12, 13}) {
    SessionPtr session = newSession();
    std::vector<float> logits(rows * kVocab);
    ASSERT_PMPD_OK(prefill(session, tokens, &logits));
    Reference reference;
    for (int64_t at = 0; at < 13; ++at) {
      std::vector<float> expected =
          reference.run(PMPD_PREFILL, 4, {tokens[at]});
      int64_t row = at - (13 - rows);
      if (row >= 0)
        EXPECT_TRUE(std::equal(expected.begin(), expected.end(),
                               logits.begin() + row * kVocab))
            << rows << " rows, row " << row;
    }
  }
}

TEST_F(SessionTest, prefill_runs_at_the_chosen_bits) {
  SessionPtr session = newSession(1, 0, 3);
  std::vector<float> logits(kVocab);
  ASSERT_PMPD_OK(prefill(session, {5, 6}, &logits));
  Reference reference;
  EXPECT_EQ(logits, reference.run(PMPD_PREFILL, 3, {5, 6}));
}

TEST_F(SessionTest, refuses_bad_prefill_arguments_and_stays_as_it_was) {
  SessionPtr session = newSession();
  ASSERT_PMPD_OK(prefill(session, {1, 2, 3}));
  EXPECT_FAILS(PMPD_BAD_ARGUMENT, "at least one token", prefill(session, {}));
  EXPECT_FAILS(PMPD_BAD_ARGUMENT, "0 .. 60, but got 61 at 1",
               prefill(session, {1, kVocab}));
  EXPECT_FAILS(PMPD_BAD_ARGUMENT, "but got -1 at 0", prefill(session, {-1}));
  int32_t token = 1;
  float logit = 0;
  EXPECT_FAILS(PMPD_BAD_ARGUMENT, "logit rows of 0 .. 1, but got 2",
               pmpd_prefill(session.get(), &token, 1, 2, &logit));
  EXPECT_FAILS(PMPD_BAD_ARGUMENT, "logits",
               pmpd_prefill(session.get(), &token, 1, 1, nullptr));
  EXPECT_EQ(pmpd_session_tokens(session.get()), 3);
}

TEST_F(SessionTest, refuses_a_prompt_longer_than_the_context) {
  SessionPtr session = newSession();
  EXPECT_FAILS(PMPD_OUT_OF_CONTEXT, "at most 64 more tokens",
               prefill(session, someTokens(kContext + 1)));
  EXPECT_PMPD_OK(prefill(session, someTokens(kContext)));
  SessionPtr smaller = newSession(1, 10);
  EXPECT_FAILS(PMPD_OUT_OF_CONTEXT, "context of 10",
               prefill(smaller, someTokens(11)));
  EXPECT_EQ(pmpd_session_tokens(smaller.get()), 0);
}

TEST_F(SessionTest, decode_fails_once_the_context_is_full) {
  SessionPtr session = newSession(1, 4);
  ASSERT_PMPD_OK(prefill(session, someTokens(3)));
  std::vector<float> logits(kVocab, 7.0f);
  ASSERT_PMPD_OK(pmpd_decode(session.get(), 1, logits.data(), nullptr));
  std::vector<float> before = logits;
  EXPECT_FAILS(PMPD_OUT_OF_CONTEXT, "at most 0 more",
               pmpd_decode(session.get(), 1, logits.data(), nullptr));
  EXPECT_EQ(logits, before);
  EXPECT_EQ(pmpd_session_tokens(session.get()), 4);
}

TEST_F(SessionTest, decode_checks_its_arguments) {
  SessionPtr session = newSession();
  std::vector<float> logits(kVocab);
  EXPECT_FAILS(PMPD_BAD_ARGUMENT, "token ids",
               pmpd_decode(session.get(), kVocab, logits.data(), nullptr));
  EXPECT_FAILS(PMPD_BAD_ARGUMENT, "logits",
               pmpd_decode(session.get(), 1, nullptr, nullptr));
  EXPECT_FAILS(PMPD_BAD_ARGUMENT, "session",
               pmpd_decode(nullptr, 1, logits.data(), nullptr));
}

TEST_F(SessionTest, truncate_goes_back_to_an_earlier_state) {
  SessionPtr session = newSession();
  std::vector<float> expected(kVocab), actual(kVocab);
  ASSERT_PMPD_OK(prefill(session, {1, 2, 3}));
  ASSERT_PMPD_OK(pmpd_decode(session.get(), 4, expected.data(), nullptr));
  ASSERT_PMPD_OK(pmpd_decode(session.get(), 5, actual.data(), nullptr));
  ASSERT_PMPD_OK(pmpd_session_truncate(session.get(), 3));
  EXPECT_EQ(pmpd_session_tokens(session.get()), 3);
  ASSERT_PMPD_OK(pmpd_decode(session.get(), 4, actual.data(), nullptr));
  EXPECT_EQ(actual, expected);
  EXPECT_FAILS(PMPD_BAD_ARGUMENT, "remaining tokens of 0 .. 4, but got 5",
               pmpd_session_truncate(session.get(), 5));
  EXPECT_FAILS(PMPD_BAD_ARGUMENT, "got -1",
               pmpd_session_truncate(session.get(), -1));
}

TEST_F(SessionTest, reset_forgets_tokens_and_totals) {
  SessionPtr session = newSession();
  std::vector<int32_t> first = generate(session.get(), {1, 2, 3}, 9);
  pmpd_session_reset(session.get());
  EXPECT_EQ(pmpd_session_tokens(session.get()), 0);
  pmpd_stats stats;
  pmpd_session_stats(session.get(), &stats);
  EXPECT_EQ(stats.decode_tokens, 0);
  EXPECT_EQ(stats.average_bits, 0);
  EXPECT_EQ(generate(session.get(), {1, 2, 3}, 9), first);
}

TEST_F(SessionTest, shows_keys_and_values_of_every_layer) {
  SessionPtr session = newSession();
  ASSERT_PMPD_OK(prefill(session, {1, 2, 3}));
  Reference reference;
  reference.run(PMPD_PREFILL, 4, {1, 2, 3});
  const size_t bytes = kKvHeads * kContext * kHeadDim * sizeof(float);
  for (int32_t layer = 0; layer < kLayers; ++layer) {
    const void *keys = nullptr, *values = nullptr;
    ASSERT_PMPD_OK(pmpd_session_kv(session.get(), layer, &keys, &values));
    const uint8_t *expected = reference.kv().data() + 2 * layer * bytes;
    EXPECT_EQ(std::memcmp(keys, expected, bytes), 0);
    EXPECT_EQ(std::memcmp(values, expected + bytes, bytes), 0);
  }
  EXPECT_PMPD_OK(pmpd_session_kv(session.get(), 0, nullptr, nullptr));
  const void *keys = nullptr;
  EXPECT_FAILS(PMPD_BAD_ARGUMENT, "layer of 0 .. 1, but got 2",
               pmpd_session_kv(session.get(), 2, &keys, nullptr));
}

TEST_F(SessionTest, results_do_not_depend_on_the_threads) {
  std::vector<float> expected(3 * kVocab), actual(3 * kVocab);
  SessionPtr one = newSession(1);
  ASSERT_PMPD_OK(prefill(one, someTokens(20), &expected));
  std::vector<int32_t> tokens = generate(one.get(), {7}, 30);
  for (int32_t threads : {2, 3, 8, 200}) {
    SessionPtr session = newSession(threads);
    ASSERT_PMPD_OK(prefill(session, someTokens(20), &actual));
    EXPECT_EQ(actual, expected) << threads;
    EXPECT_EQ(generate(session.get(), {7}, 30), tokens) << threads;
  }
}

TEST_F(SessionTest, counts_tokens_bits_and_bytes) {
  SessionPtr session = newSession();
  setSchedule(session.get(), "4@0,2@3");
  generate(session.get(), {1, 2, 3}, 5); // decodes tokens 1 .. 4
  pmpd_stats stats;
  pmpd_session_stats(session.get(), &stats);
  EXPECT_EQ(stats.prefill_tokens, 3);
  EXPECT_EQ(stats.prefill_bits, 4);
  EXPECT_EQ(stats.decode_tokens, 4);
  EXPECT_DOUBLE_EQ(stats.average_bits, (4 + 4 + 2 + 2) / 4.0);
  const double kvBytes = 2 * 2 * 2 * 4 * 4; // per token held
  EXPECT_DOUBLE_EQ(stats.decode_bytes, 12000 + (4 + 5 + 6 + 7) * kvBytes);
  EXPECT_GT(stats.prefill_seconds, 0);
  EXPECT_GE(stats.first_token_seconds, stats.prefill_seconds);
}

// One reservation for the whole context, of which only what is used costs.
TEST_F(SessionTest, memory_grows_with_the_tokens) {
  pmpd_model *opened = nullptr;
  ASSERT_PMPD_OK(pmpd_model_open(
      fakeLongModel(), dir.path("fake.pmpdw").c_str(), nullptr, &opened));
  model.reset(opened);
  const uint64_t reserved = fakeLongModel()->kv_bytes;
  ASSERT_EQ(reserved, uint64_t(128) << 20);
  SessionPtr session = newSession();
  EXPECT_EQ(residentBytes(session, reserved), 0u);
  ASSERT_PMPD_OK(prefill(session, {1, 2, 3}));
  // One page per layer, K or V, and head.
  const uint64_t stretches = kLayers * 2 * kKvHeads;
  const uint64_t page = uint64_t(sysconf(_SC_PAGESIZE));
  EXPECT_EQ(residentBytes(session, reserved), stretches * page);
  ASSERT_PMPD_OK(prefill(session, someTokens(1000)));
  EXPECT_LE(residentBytes(session, reserved), stretches * 5 * page);
  EXPECT_GE(residentBytes(session, reserved), stretches * 16 * 1000);
  pmpd_session_reset(session.get());
  EXPECT_EQ(residentBytes(session, reserved), 0u);
}

TEST_F(SessionTest, a_cancel_ends_a_long_prefill_and_leaves_no_trace) {
  pmpd_model *opened = nullptr;
  ASSERT_PMPD_OK(pmpd_model_open(
      fakeLongModel(), dir.path("fake.pmpdw").c_str(), nullptr, &opened));
  model.reset(opened);
  SessionPtr session = newSession();
  ASSERT_PMPD_OK(prefill(session, {1, 2, 3}));
  std::atomic<bool> done{false};
  std::thread canceller([&] {
    while (!done) { // the call may not have begun at the first cancel
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
      pmpd_session_cancel(session.get());
    }
  });
  pmpd_status status = prefill(session, someTokens(100000));
  done = true;
  canceller.join();
  EXPECT_EQ(status, PMPD_CANCELLED);
  EXPECT_EQ(pmpd_session_tokens(session.get()), 3);
  EXPECT_PMPD_OK(prefill(session, {4})); // a cancel is not for later calls
}
