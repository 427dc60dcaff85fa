// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/runtime/Fixture.h"

#include <thread>

using namespace pmpd::test;

namespace {

class DirectoryTest : public ::testing::Test {
protected:
  DirectoryTest() { writeFakeDirectory(dir); }

  pmpd_status open() {
    pmpd_model *opened = nullptr;
    pmpd_status status =
        pmpd_model_open_directory(dir.path().c_str(), nullptr, &opened);
    model.reset(opened);
    return status;
  }

  /// Writes the manifest with one text replaced.
  void edit(const std::string &from, const std::string &to) {
    std::string text = fakeManifest();
    ASSERT_NE(text.find(from), std::string::npos);
    dir.write("fake.json", text.replace(text.find(from), from.size(), to));
  }

  void remove(const std::string &name) {
    ASSERT_TRUE(std::filesystem::remove(dir.path(name)));
  }

  TempDir dir;
  ModelPtr model;
};

class ModelTest : public FakeModelTest {};

} // namespace

TEST_F(DirectoryTest, opens_what_the_compiler_wrote) {
  ASSERT_PMPD_OK(open());
  EXPECT_STREQ(pmpd_model_describe(model.get())->name, "fake");
  EXPECT_EQ(pmpd_model_tokenizer(model.get()), dir.path("fake.tokenizer.json"));
}

TEST_F(DirectoryTest, a_model_may_have_no_tokenizer) {
  edit(R"("tokenizer": "fake.tokenizer.json",)", "");
  ASSERT_PMPD_OK(open());
  EXPECT_EQ(pmpd_model_tokenizer(model.get()), nullptr);
}

TEST_F(DirectoryTest, missing_files_are_not_found) {
  remove("fake.pmpdw");
  EXPECT_FAILS(PMPD_NOT_FOUND, "fake.pmpdw", open());
  remove("fake.so");
  EXPECT_FAILS(PMPD_NOT_FOUND, "fake.so", open());
  remove("fake.json");
  EXPECT_FAILS(PMPD_NOT_FOUND, "write one with pmpd-compile", open());
  pmpd_model *none = nullptr;
  EXPECT_FAILS(PMPD_NOT_FOUND, "/nonexistent",
               pmpd_model_open_directory("/nonexistent", nullptr, &none));
}

TEST_F(DirectoryTest, refuses_two_models) {
  dir.write("other.json", "{}");
  EXPECT_FAILS(PMPD_BAD_MODEL, "one NAME.json", open());
}

TEST_F(DirectoryTest, refuses_a_broken_manifest) {
  edit("{", "");
  EXPECT_FAILS(PMPD_BAD_MODEL, "JSON object", open());
  edit("pmpd-model", "gguf");
  EXPECT_FAILS(PMPD_BAD_MODEL, "\"format\"", open());
  edit("\"version\": 1", "\"version\": 2");
  EXPECT_FAILS(PMPD_BAD_MODEL, "\"version\": 1", open());
  edit("\"fake.so\"", "7");
  EXPECT_FAILS(PMPD_BAD_MODEL, "expected a text for \"library\"", open());
  edit("fake.so", "../fake.so");
  EXPECT_FAILS(PMPD_BAD_MODEL, "beside it", open());
}

TEST_F(DirectoryTest, refuses_another_machine) {
  std::string text = fakeManifest();
  size_t at = text.find("\"target\": \"") + 11;
  text.replace(at, text.find('"', at) - at, "riscv64");
  dir.write("fake.json", text);
  EXPECT_FAILS(PMPD_UNSUPPORTED_CPU, "compiled for riscv64", open());
}

TEST_F(DirectoryTest, refuses_a_model_that_can_only_be_linked) {
  edit(R"("library": "fake.so",)", "");
  EXPECT_FAILS(PMPD_BAD_MODEL, "without a shared library", open());
}

TEST_F(DirectoryTest, refuses_a_library_that_is_none) {
  dir.write("fake.so", std::string("not ELF"));
  EXPECT_FAILS(PMPD_BAD_MODEL, "cannot load", open());
}

TEST_F(DirectoryTest, refuses_a_library_without_the_model) {
  edit("fake_pmpd_model", "other_pmpd_model");
  EXPECT_FAILS(PMPD_BAD_MODEL, "other_pmpd_model", open());
}

TEST_F(DirectoryTest, refuses_the_weights_of_another_model) {
  std::vector<uint8_t> weights = fakeWeights();
  weights[40] ^= 1; // in the header's digest
  dir.write("fake.pmpdw", weights);
  EXPECT_FAILS(PMPD_BAD_MODEL, "digest", open());
}

TEST_F(ModelTest, checks_its_arguments) {
  pmpd_model *opened = nullptr;
  std::string weights = dir.path("fake.pmpdw");
  EXPECT_FAILS(PMPD_BAD_ARGUMENT, "NULL",
               pmpd_model_open(nullptr, weights.c_str(), nullptr, &opened));
  EXPECT_FAILS(PMPD_BAD_ARGUMENT, "NULL",
               pmpd_model_open(fakeModel(), weights.c_str(), nullptr, nullptr));
  pmpd_model_options options = PMPD_MODEL_OPTIONS_INIT;
  options.verify = pmpd_verify(3);
  EXPECT_FAILS(
      PMPD_BAD_ARGUMENT, "verify",
      pmpd_model_open(fakeModel(), weights.c_str(), &options, &opened));
  EXPECT_EQ(opened, nullptr);
}

TEST_F(ModelTest, closing_nothing_is_allowed) { pmpd_model_close(nullptr); }

TEST_F(ModelTest, a_session_outlives_its_closed_model) {
  SessionPtr session = newSession();
  std::vector<int32_t> expected = generate(newSession().get(), {1, 2}, 8);
  model.reset();
  EXPECT_EQ(generate(session.get(), {1, 2}, 8), expected);
}

TEST_F(ModelTest, sessions_of_many_threads_share_it) {
  std::vector<int32_t> expected = generate(newSession().get(), {3}, 20);
  std::vector<std::vector<int32_t>> results(4);
  std::vector<std::thread> threads;
  for (auto &result : results)
    threads.emplace_back(
        [&] { result = generate(newSession(2).get(), {3}, 20); });
  for (std::thread &thread : threads)
    thread.join();
  for (auto &result : results)
    EXPECT_EQ(result, expected);
}
