// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/runtime/Command.h"
#include "tools/pmpd-tune/LossJournal.h"
#include "tools/support/Tool.h"

#include <random>

using namespace pmpd::test;
using namespace pmpd::tools;

namespace {

const std::string kSetting = R"({"metric":"ppl"})";

std::string readAll(const std::string &path) {
  std::ifstream stream(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(stream), {});
}

class JournalTest : public ::testing::Test {
protected:
  TempDir dir;
  const std::string path = dir.path("losses");
};

} // namespace

TEST_F(JournalTest, goes_on_with_what_was_measured) {
  {
    LossJournal journal(path, kSetting);
    journal.add({0, 4, {4, 3}}, 1.0 / 3);
    journal.add({7, 3, {2}}, 1e-300);
  }
  LossJournal journal(path, kSetting);
  EXPECT_EQ(journal.count(), 2u);
  EXPECT_EQ(journal.find({0, 4, {4, 3}}), 1.0 / 3);
  EXPECT_EQ(journal.find({7, 3, {2}}), 1e-300);
  EXPECT_EQ(journal.find({0, 4, {4, 4}}), std::nullopt);
  EXPECT_EQ(journal.find({1, 4, {4, 3}}), std::nullopt);
  journal.finish();
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(JournalTest, begins_anew_under_another_setting) {
  LossJournal(path, kSetting).add({0, 4, {4}}, 1);
  EXPECT_EQ(LossJournal(path, "{}").count(), 0u);
  EXPECT_EQ(readAll(path), "{}\n");
}

TEST_F(JournalTest, drops_a_line_that_was_cut) {
  {
    LossJournal journal(path, kSetting);
    journal.add({0, 4, {4}}, 0.25);
    journal.add({1, 4, {4}}, 0.125);
  }
  const std::string whole = readAll(path);
  for (size_t size = 0; size < whole.size(); ++size) {
    dir.write("losses", whole.substr(0, size));
    LossJournal journal(path, kSetting);
    EXPECT_LT(journal.count(), 2u);
    journal.add({9, 4, {4}}, 2);
    EXPECT_EQ(LossJournal(path, kSetting).count(), journal.count());
  }
}

TEST_F(JournalTest, survives_any_bytes) {
  std::string whole = kSetting + "\n[0,4,[4,3],0.5]\n[1,4,[4,3],1e3]\n";
  std::mt19937 random(5);
  for (int round = 0; round < 3000; ++round) {
    std::string mutated = whole;
    for (int edits = 1 + int(random() % 4); edits > 0; --edits) {
      size_t at = kSetting.size() + 1 +
                  random() % (mutated.size() - kSetting.size() - 1);
      const char *parts[] = {"]", "[",  "-1", "1e999", "99999999999999999999",
                             ",", "\"", "\n", "null",  "{}"};
      if (random() % 2)
        mutated[at] = char(random());
      else
        mutated.insert(at, parts[random() % 10]);
    }
    dir.write("losses", mutated);
    LossJournal journal(path, kSetting);
    EXPECT_LE(journal.count(), 6u);
  }
}

TEST_F(JournalTest, says_where_it_cannot_write) {
  EXPECT_THROW(LossJournal(dir.path("no/losses"), kSetting), ToolError);
}
