// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/runtime/cuda/GpuFixture.h"

#include <cstring>
#include <nlohmann/json.hpp>

using namespace pmpd::test;

namespace {

using CudaTargetTest = GpuTest;

std::vector<int32_t> someTokens(int64_t count) {
  std::vector<int32_t> tokens(count);
  for (int64_t i = 0; i < count; ++i)
    tokens[i] = int32_t(i * 17 % kVocab);
  return tokens;
}

std::vector<float> decode(const SessionPtr &session, int32_t token,
                          int32_t bits) {
  std::vector<float> logits(kVocab);
  int32_t used = 0;
  EXPECT_PMPD_OK(pmpd_decode(session.get(), token, logits.data(), &used));
  EXPECT_EQ(used, bits);
  return logits;
}

} // namespace

TEST_F(CudaTargetTest, prefill_in_chunks_gives_the_logits_of_the_CPU) {
  ASSERT_PMPD_OK(open());
  const std::vector<int32_t> tokens = someTokens(13);
  for (int64_t rows : {0, 1, 2, 3, 8, 13}) {
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

TEST_F(CudaTargetTest, decode_replays_one_recording_for_every_bits) {
  ASSERT_PMPD_OK(open());
  SessionPtr session = newSession();
  setSchedule(session.get(), "4@0,3@3,2@6");
  ASSERT_PMPD_OK(prefill(session, {1, 2, 3}));
  const int launches = calls("cuLaunchKernelEx");
  Reference reference;
  reference.run(PMPD_PREFILL, 4, {1, 2, 3});
  for (int32_t i = 1; i < 12; ++i) {
    int32_t bits = i < 3 ? 4 : i < 6 ? 3 : 2;
    EXPECT_EQ(decode(session, i, bits), reference.run(PMPD_DECODE, bits, {i}))
        << i;
  }
  // Of each region the first call launches, the second is recorded.
  EXPECT_EQ(calls("cuGraphLaunch"), 11 - 3);
  EXPECT_EQ(calls("cuStreamBeginCapture"), 3);
  EXPECT_EQ(calls("cuLaunchKernelEx") - launches, 3 * (3 + 3));
}

/// All but the first launch of a region, and only with kernels and a driver
/// that know of it; a trace puts events between launches.
TEST_F(CudaTargetTest, launches_overlap_where_kernels_wait_themselves) {
  pmpd_model_desc desc = *fakeGpuModel();
  const std::string ptx = fakePtx(90);
  const pmpd_gpu_image image = {PMPD_GPU_PTX, 90, ptx.c_str(), ptx.size() + 1};
  desc.gpu_images = &image;
  auto overlapping = [&](int trace = 0) {
    EXPECT_PMPD_OK(open(&desc));
    SessionPtr session = newSession(trace);
    int before = calls("cuLaunchKernelEx overlapping");
    EXPECT_PMPD_OK(prefill(session, {1, 2, 3}));
    decode(session, 7, 4);
    return calls("cuLaunchKernelEx overlapping") - before;
  };
  // Two launches of prefill, as no logits are asked for, and three of decode.
  EXPECT_EQ(overlapping(), (2 - 1) + (3 - 1));
  EXPECT_EQ(overlapping(/*trace=*/1), 0);
  machine("DRIVER", "12020");
  EXPECT_EQ(overlapping(), 0);
  machine("DRIVER", "12030");
  desc.gpu_images = fakeGpuModel()->gpu_images;
  EXPECT_EQ(overlapping(), 0);
}

TEST_F(CudaTargetTest, raising_bits_again_replays_what_is_recorded) {
  ASSERT_PMPD_OK(open());
  SessionPtr session = newSession();
  ASSERT_PMPD_OK(pmpd_session_set_callback(
      session.get(),
      [](void *, const pmpd_step *step) {
        return int32_t(2 + step->index % 3);
      },
      nullptr));
  ASSERT_PMPD_OK(prefill(session, {9}));
  Reference reference;
  reference.run(PMPD_PREFILL, 4, {9});
  for (int32_t i = 1; i < 10; ++i)
    EXPECT_EQ(decode(session, i, 2 + i % 3),
              reference.run(PMPD_DECODE, 2 + i % 3, {i}));
  EXPECT_EQ(calls("cuStreamBeginCapture"), 3);
}

TEST_F(CudaTargetTest, sessions_share_the_weights) {
  ASSERT_PMPD_OK(open());
  const int uploaded = calls("cuMemcpyHtoDAsync");
  EXPECT_GT(uploaded, 0);
  SessionPtr first = newSession(), second = newSession();
  EXPECT_EQ(calls("cuMemcpyHtoDAsync"), uploaded);
  model.reset(); // sessions keep what they use
  ASSERT_PMPD_OK(prefill(first, {1, 2, 3}));
  ASSERT_PMPD_OK(prefill(second, {4, 5}));
  Reference a, b;
  a.run(PMPD_PREFILL, 4, {1, 2, 3});
  b.run(PMPD_PREFILL, 4, {4, 5});
  EXPECT_EQ(decode(first, 7, 4), a.run(PMPD_DECODE, 4, {7}));
  EXPECT_EQ(decode(second, 8, 4), b.run(PMPD_DECODE, 4, {8}));
  EXPECT_EQ(decode(first, 9, 4), a.run(PMPD_DECODE, 4, {9}));
}

TEST_F(CudaTargetTest, truncate_and_reset_go_back) {
  ASSERT_PMPD_OK(open());
  SessionPtr session = newSession();
  ASSERT_PMPD_OK(prefill(session, {1, 2, 3}));
  std::vector<float> expected = decode(session, 4, 4);
  decode(session, 5, 4);
  ASSERT_PMPD_OK(pmpd_session_truncate(session.get(), 3));
  EXPECT_EQ(decode(session, 4, 4), expected);
  pmpd_session_reset(session.get());
  EXPECT_EQ(pmpd_session_tokens(session.get()), 0);
  ASSERT_PMPD_OK(prefill(session, {1, 2, 3}));
  EXPECT_EQ(decode(session, 4, 4), expected);
}

TEST_F(CudaTargetTest, copies_keys_and_values_of_a_layer) {
  ASSERT_PMPD_OK(open());
  SessionPtr session = newSession();
  const void *keys = nullptr, *values = nullptr;
  ASSERT_PMPD_OK(pmpd_session_kv(session.get(), 0, &keys, &values));
  ASSERT_PMPD_OK(prefill(session, {1, 2, 3}));
  Reference reference;
  reference.run(PMPD_PREFILL, 4, {1, 2, 3});
  const size_t bytes = kKvHeads * kContext * kHeadDim * sizeof(float);
  for (int32_t layer = 0; layer < kLayers; ++layer) {
    ASSERT_PMPD_OK(pmpd_session_kv(session.get(), layer, &keys, &values));
    const uint8_t *expected = reference.kv().data() + 2 * layer * bytes;
    EXPECT_EQ(std::memcmp(keys, expected, bytes), 0);
    EXPECT_EQ(std::memcmp(values, expected + bytes, bytes), 0);
  }
}

// The classifiers run on the host, on a copy of the cache.
TEST_F(CudaTargetTest, a_learned_schedule_decides_as_on_the_CPU) {
  ASSERT_PMPD_OK(open());
  SessionPtr session = newSession();
  ASSERT_PMPD_OK(pmpd_session_set_scheduler(session.get(), "learned:T=12"));
  for (int32_t i = 0; i < 6; ++i) {
    pmpd_session_reset(session.get());
    ASSERT_PMPD_OK(prefill(session, {i, 7 * i, 3}));
    Reference reference;
    reference.run(PMPD_PREFILL, 4, {i, 7 * i, 3});
    int32_t high = fakeClass(reference.kv().data(), 3, 4);
    int32_t low = fakeClass(reference.kv().data(), 3, 3);
    for (int64_t at = 1; at < 12; ++at) {
      auto lasts = [&](int32_t c) { return c == 3 || at < 12 * c / 3; };
      decode(session, 1, lasts(high) ? 4 : lasts(low) ? 3 : 2);
    }
  }
}

TEST_F(CudaTargetTest, the_cache_takes_memory_as_tokens_are_added) {
  machine("MEMORY", "70");
  ASSERT_PMPD_OK(open(fakeLongGpuModel())); // 128 MiB of addresses
  SessionPtr session = newSession();
  // A page of 4 KiB for each of 8 stretches holds 256 tokens.
  ASSERT_PMPD_OK(prefill(session, someTokens(3)));
  EXPECT_EQ(calls("cuMemCreate"), 8);
  EXPECT_FAILS(PMPD_OUT_OF_MEMORY, "1 MiB for the KV cache on Fake GPU 0",
               prefill(session, someTokens(260)));
  EXPECT_GT(calls("cuMemMap"), 8); // some, until there was no more
  EXPECT_EQ(pmpd_session_tokens(session.get()), 3);
  Reference reference;
  reference.run(PMPD_PREFILL, 4, someTokens(3));
  EXPECT_EQ(decode(session, 5, 4), reference.run(PMPD_DECODE, 4, {5}));
  // What a reset gives back is there for others.
  pmpd_session_reset(session.get());
  SessionPtr other = newSession();
  EXPECT_PMPD_OK(prefill(other, someTokens(100)));
}

TEST_F(CudaTargetTest, a_trace_has_every_launch) {
  ASSERT_PMPD_OK(open());
  SessionPtr session = newSession(1);
  ASSERT_PMPD_OK(prefill(session, {1, 2, 3}));
  Reference reference;
  reference.run(PMPD_PREFILL, 4, {1, 2, 3});
  EXPECT_EQ(decode(session, 5, 4), reference.run(PMPD_DECODE, 4, {5}));
  decode(session, 6, 4);
  ASSERT_PMPD_OK(
      pmpd_session_write_trace(session.get(), dir.path("trace").c_str()));
  auto json = nlohmann::json::parse(std::ifstream(dir.path("trace")));
  std::string names;
  double end = -1e9;
  for (const auto &event : json["traceEvents"]) {
    if (event["ph"] != "X" || event["cat"] != "kernel")
      continue;
    names += event["name"].get<std::string>() + " x" +
             std::to_string(event["args"]["blocks"].get<int>()) + " ";
    EXPECT_GE(event["ts"].get<double>(), end - 0.1); // one after the other
    end = event["ts"].get<double>() + event["dur"].get<double>();
  }
  EXPECT_EQ(names, "append_4 x4 attend x3 append_4 x4 attend x1 project_4 x1 "
                   "append_4 x4 attend x1 project_4 x1 ");
}
