// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/targets/npu/Hardware.h"
#include "test/runtime/Fixture.h"

#include <nlohmann/json.hpp>
#include <random>

using namespace pmpd::npu;
using namespace pmpd::test;
using nlohmann::json;

namespace {

std::string refText() {
  Hardware hardware;
  EXPECT_PMPD_OK(Hardware::find("ref", hardware));
  return hardware.text;
}

void refuses(const char *part, const json &root) {
  Hardware hardware;
  EXPECT_FAILS(PMPD_BAD_ARGUMENT, part,
               Hardware::parse(root.dump(), "x.json", hardware));
}

} // namespace

TEST(NpuHardwareTest, named_configurations) {
  EXPECT_EQ(Hardware::names(), (std::vector<std::string>{"ref", "edge"}));
  Hardware ref, edge;
  ASSERT_PMPD_OK(Hardware::find("ref", ref));
  ASSERT_PMPD_OK(Hardware::find("edge", edge));
  EXPECT_EQ(ref.name, "ref");
  // LPDDR4X-4266 and LPDDR5X-8533, 64 bits each.
  EXPECT_NEAR(ref.dramGbps, 4.266 * 8, 1e-9);
  EXPECT_NEAR(edge.dramGbps, 8.533 * 8, 1e-9);
  EXPECT_EQ(ref.scratchpadBytes(), (2048u + 256) * 1024);
}

TEST(NpuHardwareTest, every_number_says_its_unit_and_source) {
  for (const std::string &name : Hardware::names()) {
    Hardware hardware;
    ASSERT_PMPD_OK(Hardware::find(name, hardware));
    json root = json::parse(hardware.text);
    for (const auto &[key, entry] : root["numbers"].items()) {
      EXPECT_FALSE(entry.value("unit", "").empty()) << name << " " << key;
      EXPECT_FALSE(entry.value("source", "").empty()) << name << " " << key;
    }
  }
}

TEST(NpuHardwareTest, reads_a_file) {
  TempDir dir;
  json root = json::parse(refText());
  root["name"] = "mine";
  root["numbers"]["clock_ghz"]["value"] = 2.5;
  Hardware hardware;
  ASSERT_PMPD_OK(Hardware::find(dir.write("mine.json", root.dump()), hardware));
  EXPECT_EQ(hardware.name, "mine");
  EXPECT_EQ(hardware.clockGhz, 2.5);
  EXPECT_FAILS(PMPD_NOT_FOUND, "none.json",
               Hardware::find(dir.path("none.json"), hardware));
  EXPECT_FAILS(PMPD_NOT_FOUND, "ref, edge, or the path of a .json file",
               Hardware::find("fast", hardware));
}

TEST(NpuHardwareTest, refuses_bad_configurations) {
  Hardware hardware;
  EXPECT_FAILS(PMPD_BAD_ARGUMENT, "x.json: expected a hardware configuration",
               Hardware::parse("{", "x.json", hardware));
  const json good = json::parse(refText());
  json bad = good;
  bad.erase("name");
  refuses("expected a \"name\"", bad);
  bad = good;
  bad["numbers"] = 3;
  refuses("\"numbers\"", bad);
  bad = good;
  bad["numbers"].erase("sfu_lanes");
  refuses("expected a number \"sfu_lanes\"", bad);
  bad = good;
  bad["numbers"]["dram_loss"]["value"] = 1.0;
  refuses("from 0 to 0.99, but got 1", bad);
  bad["numbers"]["dram_loss"]["value"] = "x";
  refuses("expected \"dram_loss\" to be {", bad);
  bad = good;
  bad["numbers"]["bpu_rows"]["value"] = 1.5;
  refuses("a whole number", bad);
  bad = good;
  bad["numbers"]["bpu_rows"].erase("source");
  refuses("expected a \"source\" for \"bpu_rows\"", bad);
  bad = good;
  bad["numbers"]["warp"] = bad["numbers"]["bpu_rows"];
  refuses("\"warp\" is not a number of the machine", bad);
}

TEST(NpuHardwareTest, damaged_configurations_are_refused_or_read) {
  const std::string text = refText();
  std::mt19937 random(21);
  int refused = 0;
  for (int i = 0; i < 2000; ++i) {
    std::string damaged = text;
    for (unsigned j = 0; j < 1 + random() % 3; ++j)
      damaged[random() % damaged.size()] = static_cast<char>(random());
    if (random() % 4 == 0)
      damaged.resize(random() % damaged.size());
    Hardware hardware;
    pmpd_status status = Hardware::parse(damaged, "x.json", hardware);
    EXPECT_TRUE(status == PMPD_OK || status == PMPD_BAD_ARGUMENT);
    refused += status != PMPD_OK;
  }
  EXPECT_GT(refused, 500);
}
