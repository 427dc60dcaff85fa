// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/runtime/Fixture.h"

#include <algorithm>
#include <fstream>
#include <unistd.h>

using namespace pmpd::test;
namespace fs = std::filesystem;

TempDir::TempDir() {
  std::string name = (fs::temp_directory_path() / "pmpd-test-XXXXXX").string();
  if (!mkdtemp(name.data()))
    throw std::runtime_error("cannot make a temporary directory");
  root = name;
}

TempDir::~TempDir() {
  std::error_code ignored;
  fs::remove_all(root, ignored);
}

std::string TempDir::write(const std::string &name,
                           const std::string &text) const {
  std::ofstream(path(name), std::ios::binary) << text;
  return path(name);
}

std::string TempDir::write(const std::string &name,
                           const std::vector<uint8_t> &bytes) const {
  return write(name, std::string(bytes.begin(), bytes.end()));
}

std::string pmpd::test::fakeManifest() {
  return R"({"format": "pmpd-model", "version": 1, "name": "fake",
 "library": "fake.so", "weights": "fake.pmpdw",
 "tokenizer": "fake.tokenizer.json", "target": ")"
#if defined(__aarch64__)
         "aarch64"
#else
         "x86-64"
#endif
         R"(", "symbol": "fake_pmpd_model", "layers": 2})";
}

/// Bytes a .. z, the space and the line feed, one token each, after
/// <|endoftext|>.
static std::string fakeTokenizer() {
  std::string vocab = R"("<|endoftext|>": 0, "\u0120": 1, "\u010a": 2)";
  for (char letter = 'a'; letter <= 'z'; ++letter)
    vocab += std::string(", \"") + letter +
             "\": " + std::to_string(letter - 'a' + 3);
  return R"({"version": "1.0", "added_tokens": [{"id": 0, "content":
"<|endoftext|>", "single_word": false, "lstrip": false, "rstrip": false,
"normalized": false, "special": true}], "normalizer": null, "pre_tokenizer":
{"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true,
"use_regex": true}, "post_processor": null, "decoder": {"type": "ByteLevel",
"add_prefix_space": false, "trim_offsets": true, "use_regex": true}, "model":
{"type": "BPE", "dropout": null, "unk_token": null,
"continuing_subword_prefix": null, "end_of_word_suffix": null, "fuse_unk":
false, "byte_fallback": false, "merges": [], "vocab": {)" +
         vocab + "}}}";
}

void pmpd::test::writeFakeDirectory(const TempDir &dir) {
  dir.write("fake.json", fakeManifest());
  dir.write("fake.pmpdw", fakeWeights());
  dir.write("fake.tokenizer.json", fakeTokenizer());
  fs::copy_file(PMPD_FAKE_LIBRARY, dir.path("fake.so"));
}

FakeModelTest::FakeModelTest() {
  std::string weights = dir.write("fake.pmpdw", fakeWeights());
  pmpd_model *opened = nullptr;
  EXPECT_PMPD_OK(
      pmpd_model_open(fakeModel(), weights.c_str(), nullptr, &opened));
  model.reset(opened);
}

SessionPtr FakeModelTest::newSession(int32_t threads, int32_t context,
                                     int32_t prefillBits) {
  pmpd_session_options options = PMPD_SESSION_OPTIONS_INIT;
  options.threads = threads;
  options.context = context;
  options.prefill_bits = prefillBits;
  pmpd_session *session = nullptr;
  EXPECT_PMPD_OK(pmpd_session_create(model.get(), &options, &session));
  return SessionPtr(session);
}

std::vector<int32_t> FakeModelTest::generate(pmpd_session *session,
                                             const std::vector<int32_t> &prompt,
                                             int64_t maxTokens) {
  pmpd_generate_options options = PMPD_GENERATE_OPTIONS_INIT;
  options.max_tokens = maxTokens;
  std::vector<int32_t> tokens(maxTokens);
  int64_t count = -1;
  EXPECT_PMPD_OK(pmpd_generate(session, prompt.data(), int64_t(prompt.size()),
                               &options, tokens.data(), &count));
  tokens.resize(count);
  return tokens;
}

void pmpd::test::setSchedule(pmpd_session *session, const char *text) {
  pmpd_switch_point points[16];
  size_t count = 0;
  ASSERT_PMPD_OK(pmpd_schedule_parse(text, points, 16, &count));
  ASSERT_PMPD_OK(pmpd_session_set_schedule(session, points, count));
}

int32_t pmpd::test::argmax(const std::vector<float> &logits) {
  return int32_t(std::max_element(logits.begin(), logits.end()) -
                 logits.begin());
}
