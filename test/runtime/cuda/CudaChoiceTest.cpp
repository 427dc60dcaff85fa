// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Tokens that the GPU chooses itself.
#include "test/runtime/cuda/GpuFixture.h"

#include <nlohmann/json.hpp>

using namespace pmpd::test;

namespace {

constexpr pmpd_sampling greedy = {0, 0, 1, 0};
constexpr pmpd_sampling hot = {1.5f, 9, .9f, 42};
constexpr char tokenBytes[] = "4 bytes to the host";
const std::string rowBytes =
    std::to_string(kVocab * sizeof(float)) + " bytes to the host";

class CudaChoiceTest : public GpuTest {
protected:
  pmpd_status run(const SessionPtr &session, pmpd_sampling sampling,
                  int64_t most = 20) {
    pmpd_generate_options options = PMPD_GENERATE_OPTIONS_INIT;
    options.max_tokens = most;
    options.sampling = sampling;
    tokens.resize(most);
    int64_t count = 0;
    const int32_t prompt[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
    pmpd_status status = pmpd_generate(session.get(), prompt, 11, &options,
                                       tokens.data(), &count);
    tokens.resize(count);
    return status;
  }

  /// Expects the same text from the model on the CPU.
  void expectTextOfCPU(const char *schedule, pmpd_sampling sampling) {
    ASSERT_PMPD_OK(open(fakeModel()));
    SessionPtr session = newSession();
    setSchedule(session.get(), schedule);
    std::vector<int32_t> text = tokens;
    ASSERT_PMPD_OK(run(session, sampling));
    EXPECT_EQ(text, tokens);
  }

  std::vector<int32_t> tokens;
};

} // namespace

TEST_F(CudaChoiceTest, writes_the_text_of_the_CPU_and_copies_four_bytes) {
  for (pmpd_sampling sampling :
       {greedy, hot, pmpd_sampling{1, 0, 1, 3}, pmpd_sampling{.7f, 0, .5f, 4},
        pmpd_sampling{1e-45f, 1 << 30, 1e-30f, 5}}) {
    ASSERT_PMPD_OK(open());
    SessionPtr session = newSession();
    setSchedule(session.get(), "4@0,3@6,2@12");
    const int chosen = calls(tokenBytes);
    ASSERT_PMPD_OK(run(session, sampling));
    EXPECT_EQ(tokens.size(), 20u);
    EXPECT_EQ(calls(tokenBytes) - chosen, 20);
    expectTextOfCPU("4@0,3@6,2@12", sampling);
  }
  EXPECT_EQ(calls(rowBytes), 0);
}

TEST_F(CudaChoiceTest, gives_logits_to_who_asks_for_them) {
  ASSERT_PMPD_OK(open());
  SessionPtr session = newSession();
  setSchedule(session.get(), "4@0");
  ASSERT_PMPD_OK(run(session, greedy, 8));
  const int recordings = calls("cuStreamBeginCapture");
  EXPECT_EQ(recordings, 1);
  Reference reference;
  reference.run(PMPD_PREFILL, 4, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
  for (int32_t i = 0; i < 7; ++i)
    reference.run(PMPD_DECODE, 4, {tokens[i]});
  // A region is recorded for each of what it gives, and each stays right.
  std::vector<float> logits(kVocab);
  for (int32_t i = 7; i < 10; ++i) {
    ASSERT_PMPD_OK(pmpd_decode(session.get(), i, logits.data(), nullptr));
    EXPECT_EQ(logits, reference.run(PMPD_DECODE, 4, {i}));
  }
  EXPECT_EQ(calls("cuStreamBeginCapture") - recordings, 1);
  EXPECT_EQ(calls(rowBytes), 3);
  pmpd_session_reset(session.get());
  ASSERT_PMPD_OK(run(session, greedy));
  EXPECT_EQ(calls("cuStreamBeginCapture") - recordings, 1);
  expectTextOfCPU("4@0", greedy);
}

TEST_F(CudaChoiceTest, a_schedule_that_looks_at_logits_has_them) {
  for (pmpd_sampling sampling : {greedy, hot}) {
    ASSERT_PMPD_OK(open());
    SessionPtr session = newSession();
    constexpr char schedule[] = "confidence:tokens=3,sigma=0.1";
    ASSERT_PMPD_OK(pmpd_session_set_scheduler(session.get(), schedule));
    const int copied = calls(rowBytes);
    ASSERT_PMPD_OK(run(session, sampling));
    EXPECT_EQ(calls(rowBytes) - copied, 20);
    ASSERT_PMPD_OK(open(fakeModel()));
    std::vector<int32_t> text = tokens;
    session = newSession();
    ASSERT_PMPD_OK(pmpd_session_set_scheduler(session.get(), schedule));
    ASSERT_PMPD_OK(run(session, sampling));
    EXPECT_EQ(text, tokens);
  }
  EXPECT_EQ(calls(tokenBytes), 0);
}

TEST_F(CudaChoiceTest, a_callback_sees_logits_but_those_of_chosen_tokens) {
  ASSERT_PMPD_OK(open());
  SessionPtr session = newSession();
  ASSERT_PMPD_OK(run(session, greedy, 4)); // the last is not decoded
  struct Seen {
    int with = 0, without = 0;
  } seen;
  ASSERT_PMPD_OK(pmpd_session_set_callback(
      session.get(),
      [](void *user, const pmpd_step *step) {
        auto *seen = static_cast<Seen *>(user);
        ++(step->logits ? seen->with : seen->without);
        return 4;
      },
      &seen));
  std::vector<float> logits(kVocab);
  ASSERT_PMPD_OK(pmpd_decode(session.get(), 1, logits.data(), nullptr));
  EXPECT_EQ(seen.without, 1);
  ASSERT_PMPD_OK(run(session, greedy, 4));
  EXPECT_EQ(seen.without, 1);
  EXPECT_EQ(seen.with, 3);
}

TEST_F(CudaChoiceTest, a_model_without_the_kernel_copies_logits) {
  pmpd_model_desc desc = *fakeGpuModel();
  desc.gpu_sample = nullptr;
  ASSERT_PMPD_OK(open(&desc));
  ASSERT_PMPD_OK(run(newSession(), hot));
  EXPECT_EQ(calls(rowBytes), 20);
  expectTextOfCPU("4@0", hot);
}

TEST_F(CudaChoiceTest, no_finite_logit_is_the_error_of_the_CPU) {
  pmpd_model_desc desc = *fakeGpuModel();
  desc.gpu_sample = &sampleNothing;
  ASSERT_PMPD_OK(open(&desc));
  EXPECT_FAILS(PMPD_BAD_ARGUMENT, "expected at least one finite logit",
               run(newSession(), greedy));
}

TEST_F(CudaChoiceTest, a_trace_has_the_choice) {
  ASSERT_PMPD_OK(open());
  SessionPtr session = newSession(1);
  ASSERT_PMPD_OK(run(session, hot, 3));
  ASSERT_PMPD_OK(
      pmpd_session_write_trace(session.get(), dir.path("trace").c_str()));
  auto json = nlohmann::json::parse(std::ifstream(dir.path("trace")));
  int choices = 0;
  for (const auto &event : json["traceEvents"])
    choices += event["name"] == "sample" && event["args"]["blocks"] == 1;
  EXPECT_EQ(choices, 3);
}

// The session has the tokens of the steps before, and goes on.
TEST_F(CudaChoiceTest, any_call_that_fails) {
  ASSERT_PMPD_OK(open());
  ASSERT_PMPD_OK(run(newSession(), hot, 5));
  const std::vector<int32_t> expected = tokens;
  // Chunks without logits launch two kernels, other calls four.
  const struct {
    const char *rule, *text;
    size_t tokens;
  } failures[] = {
      {"cuLaunchKernelEx=700@8", "cuLaunchKernelEx of sample failed", 0},
      {"cuMemcpyDtoHAsync=700@1", "cuMemcpyDtoHAsync failed", 0},
      {"cuLaunchKernelEx=700@12", "cuLaunchKernelEx of sample failed", 1},
      {"cuLaunchKernelEx=700@16", "cuLaunchKernelEx of sample failed", 2},
      {"cuStreamEndCapture=700@1", "cuStreamEndCapture failed", 2},
      {"cuGraphInstantiateWithFlags=700@1",
       "cuGraphInstantiateWithFlags failed", 2},
      {"cuGraphLaunch=700@2", "cuGraphLaunch failed", 3}};
  for (const auto &failure : failures) {
    SessionPtr session = newSession();
    machine("FAIL", failure.rule);
    EXPECT_FAILS(PMPD_DEVICE_ERROR, failure.text, run(session, hot, 5));
    EXPECT_EQ(tokens.size(), failure.tokens) << failure.rule;
    machine("FAIL", "");
    pmpd_session_reset(session.get());
    ASSERT_PMPD_OK(run(session, hot, 5));
    EXPECT_EQ(tokens, expected);
  }
}
