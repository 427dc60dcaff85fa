// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_TEST_RUNTIME_FIXTURE_H
#define PMPD_TEST_RUNTIME_FIXTURE_H

#include "test/runtime/FakeModel.h"

#include <filesystem>
#include <gtest/gtest.h>
#include <memory>
#include <string>

namespace pmpd::test {

/// An empty directory that is removed at the end.
class TempDir {
public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir &) = delete;
  TempDir &operator=(const TempDir &) = delete;

  std::string path(const std::string &name = "") const {
    return (root / name).string();
  }
  std::string write(const std::string &name, const std::string &text) const;
  std::string write(const std::string &name,
                    const std::vector<uint8_t> &bytes) const;

private:
  std::filesystem::path root;
};

/// Writes what pmpd-compile would: fake.json, fake.so, fake.pmpdw and
/// fake.tokenizer.json.
void writeFakeDirectory(const TempDir &dir);

/// The manifest of that directory.
std::string fakeManifest();

struct CloseModel {
  void operator()(pmpd_model *model) const { pmpd_model_close(model); }
};
struct DestroySession {
  void operator()(pmpd_session *session) const {
    pmpd_session_destroy(session);
  }
};
using ModelPtr = std::unique_ptr<pmpd_model, CloseModel>;
using SessionPtr = std::unique_ptr<pmpd_session, DestroySession>;

/// Expects a status and that the text of the last error holds a part.
#define EXPECT_FAILS(expected, part, call)                                     \
  do {                                                                         \
    EXPECT_EQ(call, expected) << pmpd_last_error();                            \
    EXPECT_NE(std::string(pmpd_last_error()).find(part), std::string::npos)    \
        << "the error is: " << pmpd_last_error();                              \
  } while (false)

#define ASSERT_PMPD_OK(call) ASSERT_EQ(call, PMPD_OK) << pmpd_last_error()
#define EXPECT_PMPD_OK(call) EXPECT_EQ(call, PMPD_OK) << pmpd_last_error()

/// Opens the fake model and makes sessions of it.
class FakeModelTest : public ::testing::Test {
protected:
  FakeModelTest();
  SessionPtr newSession(int32_t threads = 1, int32_t context = 0,
                        int32_t prefillBits = 0);

  /// As pmpd_generate, greedily; expects success.
  std::vector<int32_t> generate(pmpd_session *session,
                                const std::vector<int32_t> &prompt,
                                int64_t maxTokens);

  TempDir dir;
  ModelPtr model;
};

/// Sets a schedule from its text; expects success.
void setSchedule(pmpd_session *session, const char *text);

/// Index of the highest value.
int32_t argmax(const std::vector<float> &logits);

} // namespace pmpd::test

#endif // PMPD_TEST_RUNTIME_FIXTURE_H
