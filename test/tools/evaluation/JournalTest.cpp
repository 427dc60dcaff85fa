// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/evaluation/Journal.h"
#include "test/runtime/Fixture.h"
#include "tools/evaluation/Parallel.h"
#include "tools/support/Tool.h"

#include <atomic>
#include <fstream>
#include <random>

using namespace pmpd::test;
using namespace pmpd::tools;

namespace {

using Values = std::vector<double>;

const std::string kSetting = R"({"metric":"ppl"})";
const std::string kFirst =
    "{\"pmpd-journal\":1,\"setting\":" + kSetting + "}\n";

std::string readAll(const std::string &path) {
  std::ifstream stream(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(stream), {});
}

class JournalTest : public ::testing::Test {
protected:
  TempDir dir;
  const std::string path = dir.path("journal");
};

} // namespace

TEST_F(JournalTest, goes_on_with_what_was_measured) {
  {
    Journal journal(path, kSetting);
    journal.add("texts 0", {1.0 / 3, 1e-300});
    journal.add("texts 7", {});
  }
  Journal journal(path, kSetting);
  EXPECT_EQ(journal.count(), 2u);
  EXPECT_EQ(journal.find("texts 0"), (Values{1.0 / 3, 1e-300}));
  EXPECT_EQ(journal.find("texts 7"), Values());
  EXPECT_EQ(journal.find("texts 1"), std::nullopt);
  journal.finish();
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(JournalTest, begins_anew_under_another_setting) {
  Journal(path, "{}").add("a", {1});
  EXPECT_EQ(Journal(path, kSetting).count(), 0u);
  EXPECT_EQ(readAll(path), kFirst);
}

TEST_F(JournalTest, leaves_other_files_alone) {
  for (const char *text : {"a text\n", "a text", "\n\n", "{\"pmpd\":1}\n"}) {
    dir.write("journal", std::string(text));
    EXPECT_THROW(Journal(path, kSetting), ToolError) << text;
    EXPECT_EQ(readAll(path), text);
  }
}

TEST_F(JournalTest, drops_a_line_that_was_cut) {
  {
    Journal journal(path, kSetting);
    journal.add("a", {0.25});
    journal.add("b", {0.125});
  }
  const std::string whole = readAll(path);
  for (size_t size = 0; size < whole.size(); ++size) {
    dir.write("journal", whole.substr(0, size));
    Journal journal(path, kSetting);
    EXPECT_LT(journal.count(), 2u);
    journal.add("c", {2});
    EXPECT_EQ(Journal(path, kSetting).count(), journal.count());
  }
}

TEST_F(JournalTest, survives_any_bytes) {
  const std::string whole = kFirst + "[\"a\",[4,0.5]]\n[\"b\",[4,1e3]]\n";
  std::mt19937 random(5);
  for (int round = 0; round < 3000; ++round) {
    std::string mutated = whole;
    for (int edits = 1 + int(random() % 4); edits > 0; --edits) {
      size_t at = kFirst.size() + random() % (mutated.size() - kFirst.size());
      const char *parts[] = {"]", "[",  "-1", "1e999", "99999999999999999999",
                             ",", "\"", "\n", "null",  "{}"};
      if (random() % 2)
        mutated[at] = char(random());
      else
        mutated.insert(at, parts[random() % 10]);
    }
    dir.write("journal", mutated);
    Journal journal(path, kSetting);
    EXPECT_LE(journal.count(), 6u);
    if (auto values = journal.find("a")) {
      JournalReader reader(*values);
      try {
        EXPECT_LE(reader.count(4), 4);
        EXPECT_EQ(reader.number(), (*values)[1]);
      } catch (const ToolError &error) {
        EXPECT_NE(std::string(error.what()).find("damaged, remove it"),
                  std::string::npos);
      }
    }
  }
}

TEST_F(JournalTest, a_reader_refuses_what_is_not_there) {
  Values values = {3, 2.5, -1, 9};
  JournalReader reader(values);
  EXPECT_EQ(reader.count(3), 3);
  EXPECT_THROW(reader.count(9), ToolError);
  EXPECT_THROW(reader.count(9), ToolError);
  EXPECT_THROW(reader.count(8), ToolError);
  EXPECT_THROW(reader.number(), ToolError);
}

TEST_F(JournalTest, says_where_it_cannot_write) {
  EXPECT_THROW(Journal(dir.path("no/journal"), kSetting), ToolError);
}

TEST_F(JournalTest, what_it_holds_is_not_measured_again) {
  Journal journal(path, kSetting);
  journal.add("squares 3", {-1});
  std::atomic<int> calls{0};
  auto square = [&](int, size_t item) -> Values {
    ++calls;
    return {double(item * item)};
  };
  std::vector<Values> expected = {{0}, {1}, {4}, {-1}, {16}};
  EXPECT_EQ(Workers(2, 5).measure("squares", 5, &journal, square), expected);
  EXPECT_EQ(calls, 4);
  EXPECT_EQ(Workers(2, 5).measure("squares", 5, &journal, square), expected);
  EXPECT_EQ(calls, 4);
  expected[3] = {9};
  EXPECT_EQ(Workers(2, 5).measure("squares", 5, nullptr, square), expected);
}
