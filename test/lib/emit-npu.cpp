// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Emit/NpuHardware.h"
#include "lib/Emit/NpuProgram.h"
#include "test/lib/TemporaryFolder.h"

#include <cstring>
#include <gtest/gtest.h>
#include <random>

using namespace pmpd;
using namespace pmpd::emit;
using namespace pmpd::test;

namespace {

std::string refuses(const std::string &nameOrPath) {
  llvm::Expected<NpuHardware> hardware = findNpuHardware(nameOrPath);
  return hardware ? "" : llvm::toString(hardware.takeError());
}

/// The text of ref.json with one piece of it replaced.
std::string changed(const std::string &from, const std::string &to) {
  std::string text = llvm::cantFail(findNpuHardware("ref")).text;
  size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

class NpuHardwareTest : public TemporaryFolder {};

TEST_F(NpuHardwareTest, NamesAndFiles) {
  NpuHardware ref = llvm::cantFail(findNpuHardware("ref"));
  EXPECT_EQ(ref.name, "ref");
  EXPECT_EQ(ref.scratchpadBytes, (2048 + 256) * 1024);
  EXPECT_EQ(llvm::cantFail(findNpuHardware("edge")).name, "edge");
  std::string path =
      write("mine.json", changed("\"value\": 2048", "\"value\": 512"));
  NpuHardware mine = llvm::cantFail(findNpuHardware(path));
  EXPECT_EQ(mine.scratchpadBytes, (512 + 256) * 1024);
}

TEST_F(NpuHardwareTest, WrongOnesAreRefused) {
  EXPECT_EQ(refuses("fast"), "configuration 'fast': expected one of ref, edge, "
                             "or the path of a JSON file");
  EXPECT_NE(refuses("./none.json").find("No such file"), std::string::npos);
  auto why = [&](const std::string &text) {
    std::string path = write("config.json", text);
    std::string error = refuses(path);
    EXPECT_EQ(error.rfind(path + ": ", 0), 0u) << error;
    return error.substr(std::min(error.size(), path.size() + 2));
  };
  EXPECT_EQ(why("[]"), "expected an object with \"name\" and \"numbers\"");
  EXPECT_EQ(why(changed("\"dma_latency_ns\"", "\"late\"")),
            "expected numbers as in the configuration ref, but got \"late\"");
  EXPECT_EQ(why(changed("\"value\": 2048", "\"value\": \"2048\"")),
            "expected a number of at least 0 as the \"value\" of "
            "\"scratchpad_kib\"");
  EXPECT_EQ(why(changed("\"value\": 2048", "\"value\": 1e9")),
            "expected 1 to 16384 KiB of scratchpad and accumulators, but got "
            "1000000256");
}

TEST_F(NpuHardwareTest, AnyBytesAreReadOrRefused) {
  std::string good = llvm::cantFail(findNpuHardware("ref")).text;
  std::mt19937 random(11);
  int refused = 0;
  for (int round = 0; round < 400; ++round) {
    std::string text = good;
    for (unsigned edits = 1 + random() % 4; edits > 0; --edits) {
      size_t at = random() % text.size();
      switch (random() % 3) {
      case 0:
        text[at] = static_cast<char>(random());
        break;
      case 1:
        text.erase(at, random() % 40);
        break;
      default:
        text.insert(at, good.substr(random() % good.size(), random() % 40));
      }
    }
    std::string error = refuses(write("config.json", text));
    refused += !error.empty();
  }
  EXPECT_GT(refused, 200);
}

/// Two regions, one with a loop.
NpuProgram twoRegions() {
  NpuProgram program;
  program.hardware = llvm::cantFail(findNpuHardware("ref"));
  program.abi.version = PMPD_NPU_ABI_VERSION;
  program.weights = {1, 2, 3};
  pmpd_npu_instruction nop = {}, loop = {}, end = {}, halt = {};
  for (pmpd_npu_instruction *each : {&nop, &loop, &end, &halt})
    each->h.wait0 = each->h.wait1 = each->h.post0 = each->h.post1 =
        PMPD_NPU_NO_SEMAPHORE;
  nop.h.post0 = 9;
  loop.h.op = PMPD_NPU_LOOP;
  loop.loop.level = 2;
  end.h.op = PMPD_NPU_ENDL;
  halt.h.op = PMPD_NPU_HALT;
  NpuRegion first, second;
  first.name = "prefill_b4";
  first.code = {nop, halt};
  first.lines = {{0, "a"}, {1, "b"}};
  first.facts.scratchpad_peak = 100;
  second.name = "decode_b4";
  second.code = {loop, nop, end, halt};
  second.lines = {{0, "b"}};
  second.facts.scratchpad_peak = 300;
  program.regions = {first, second};
  NpuTensor tensor;
  tensor.name = "w";
  tensor.facts.rows = 64;
  program.tensors = {tensor};
  return program;
}

/// Reads a section by the offsets of the file alone.
template <typename Record>
std::vector<Record> section(const std::vector<uint8_t> &file, const char *tag) {
  uint32_t count;
  std::memcpy(&count, file.data() + 24, sizeof(count));
  for (uint32_t i = 0; i < count; ++i) {
    const uint8_t *header = file.data() + 64 + 32 * i;
    uint64_t offset, bytes;
    std::memcpy(&offset, header + 8, sizeof(offset));
    std::memcpy(&bytes, header + 16, sizeof(bytes));
    if (std::memcmp(header, tag, 4) != 0)
      continue;
    std::vector<Record> records(bytes / sizeof(Record));
    std::memcpy(records.data(), file.data() + offset, bytes);
    return records;
  }
  return {};
}

TEST(NpuProgram, TablesNameOneAnother) {
  std::vector<uint8_t> file = makeNpuProgram(twoRegions());
  EXPECT_EQ(std::memcmp(file.data(), "PNPU", 4), 0);
  EXPECT_EQ(file[48], 1); // the weights' digest
  EXPECT_EQ(file[50], 3);
  std::vector<char> strings = section<char>(file, "STRS");
  auto text = [&](uint32_t at) { return std::string(strings.data() + at); };
  auto regions = section<pmpd_npu_region>(file, "RGNS");
  ASSERT_EQ(regions.size(), 2u);
  EXPECT_EQ(text(regions[1].name), "decode_b4");
  EXPECT_EQ(regions[1].first, 2u);
  EXPECT_EQ(regions[1].count, 4u);
  EXPECT_EQ(section<pmpd_npu_instruction>(file, "CODE").size(), 6u);
  auto lines = section<pmpd_npu_line>(file, "DBUG");
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[2].first, 2u);
  EXPECT_EQ(lines[1].name, lines[2].name); // one string for both
  EXPECT_EQ(text(section<pmpd_npu_tensor>(file, "TMAP").at(0).name), "w");
}

TEST(NpuProgram, RequiresWhatItsCodeUses) {
  std::vector<uint8_t> file = makeNpuProgram(twoRegions());
  auto required = section<pmpd_npu_requirements>(file, "HWRQ");
  ASSERT_EQ(required.size(), 1u);
  EXPECT_EQ(required[0].scratchpad_bytes, 300u);
  EXPECT_EQ(required[0].semaphores, 10u);
  EXPECT_EQ(required[0].loop_levels, 3u);
}

} // namespace
