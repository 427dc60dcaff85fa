// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/pmpd-tune/SampleFile.h"

#include "test/runtime/Fixture.h"
#include "tools/support/Tool.h"

#include <random>

using namespace pmpd::test;
using namespace pmpd::tools;

namespace {

std::string readAll(const std::string &path) {
  std::ifstream stream(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(stream), {});
}

class SampleFileTest : public ::testing::Test {
protected:
  /// A sample of some tokens of two bytes.
  static Sample makeSample(int tokens, char byte) {
    return {{{"tokens", tokens}, {"labels", {{"4_3", 1}}}},
            std::vector<char>(tokens * 2, byte)};
  }

  TempDir dir;
  const std::string path = dir.path("samples");
  const nlohmann::json setting = {{"bytes_per_token", 2}};
};

} // namespace

TEST_F(SampleFileTest, writes_in_order_of_samples) {
  SampleFile file(path, setting);
  file.add(2, makeSample(1, 'c'));
  file.add(1, makeSample(3, 'b'));
  EXPECT_EQ(file.count(), 0);
  EXPECT_EQ(readAll(path + ".kv"), "");
  file.add(0, makeSample(2, 'a'));
  EXPECT_EQ(file.count(), 3);
  EXPECT_EQ(readAll(path + ".kv"), "aaaabbbbbbcc");
}

TEST_F(SampleFileTest, damaged_files_are_cut_or_refused) {
  {
    SampleFile file(path, setting);
    for (int i = 0; i < 6; ++i)
      file.add(i, makeSample(1 + i % 3, char('a' + i)));
  }
  const std::string lines = readAll(path), planes = readAll(path + ".kv");
  std::mt19937 random(8);
  int refused = 0, cut = 0;
  for (int round = 0; round < 500; ++round) {
    std::string damaged = lines;
    for (int edits = random() % 3; edits >= 0; --edits) {
      size_t at = random() % damaged.size();
      if (random() % 2)
        damaged[at] = char(random());
      else
        damaged.erase(at, 1 + random() % 4);
    }
    dir.write("samples", damaged);
    dir.write("samples.kv", planes);
    try {
      SampleFile file(path, setting);
      ASSERT_LE(file.count(), 6);
      cut += file.count() < 6;
      // What is kept can be gone on with.
      int64_t count = file.count();
      file.add(count, makeSample(1, 'z'));
      EXPECT_EQ(file.count(), count + 1);
      EXPECT_EQ(readAll(path + ".kv").back(), 'z');
    } catch (const ToolError &error) {
      ++refused;
      EXPECT_EQ(readAll(path), damaged); // nothing is lost
    }
  }
  EXPECT_GT(refused, 20);
  EXPECT_GT(cut, 200);
}

TEST_F(SampleFileTest, says_where_it_cannot_write) {
  EXPECT_THROW(SampleFile(dir.path("no/samples"), setting), ToolError);
}
