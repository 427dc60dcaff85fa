// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/runtime/Fixture.h"
#include "test/runtime/npu/ProgramBuilder.h"

#include <cstring>
#include <functional>
#include <random>

using namespace pmpd::npu;
using namespace pmpd::test;

namespace {

ProgramBuilder sound() {
  ProgramBuilder builder;
  builder.constants = {1, 2, 3, 4, 5};
  builder.lines = {{0, builder.string("all")}};
  builder.add("evt value=1");
  return builder;
}

pmpd_status load(const std::vector<uint8_t> &file) {
  Program program;
  return Program::load("test.pnpu", file.data(), file.size(), program);
}

/// Expects an error for a program changed before it is put together.
void refuses(const char *part, const std::function<void(ProgramBuilder &)> &f) {
  ProgramBuilder builder = sound();
  builder.bytes(); // ends the region
  f(builder);
  EXPECT_FAILS(PMPD_BAD_MODEL, part, load(builder.bytes()));
}

/// Expects an error for a file changed at a byte, with checksums that match.
void refusesByte(const char *part, size_t at, uint8_t value) {
  std::vector<uint8_t> file = sound().bytes();
  file[at] = value;
  reseal(file);
  EXPECT_FAILS(PMPD_BAD_MODEL, part, load(file));
}

/// Offset of the header of a section.
size_t sectionAt(const std::vector<uint8_t> &file, const char *tag) {
  size_t at = sizeof(pmpd_npu_file_header);
  while (std::memcmp(&file[at], tag, 4) != 0)
    at += sizeof(pmpd_npu_section_header);
  return at;
}

} // namespace

TEST(NpuProgramTest, reads_what_was_written) {
  ProgramBuilder builder = sound();
  builder.endRegion("decode_b4", PMPD_DECODE, 4, 1);
  builder.add("nop").endRegion("decode_b2", PMPD_DECODE, 2, 1);
  std::vector<uint8_t> file = builder.bytes();
  Program program;
  ASSERT_PMPD_OK(Program::load("test", file.data(), file.size(), program));
  EXPECT_EQ(program.constants(), builder.constants);
  EXPECT_EQ(program.abi().vocab, 100u);
  ASSERT_EQ(program.regions().size(), 2u);
  EXPECT_EQ(program.findRegion(PMPD_DECODE, 2), &program.regions()[1]);
  EXPECT_STREQ(program.string(program.regions()[1].name), "decode_b2");
  EXPECT_EQ(program.findRegion(PMPD_PREFILL, 2), nullptr);
  EXPECT_EQ(program.code().size(), 4u);
}

TEST(NpuProgramTest, crc_is_castagnoli) {
  EXPECT_EQ(pmpd_npu_crc32c(0, "123456789", 9), 0xE3069283u);
}

TEST(NpuProgramTest, refuses_every_truncation) {
  std::vector<uint8_t> file = sound().bytes();
  for (size_t bytes = 0; bytes < file.size(); ++bytes)
    ASSERT_EQ(load({file.begin(), file.begin() + bytes}), PMPD_BAD_MODEL)
        << bytes;
  EXPECT_FAILS(PMPD_BAD_MODEL, "truncated",
               load({file.begin(), file.end() - 1}));
  file.push_back(0);
  EXPECT_FAILS(PMPD_BAD_MODEL, "has grown", load(file));
}

TEST(NpuProgramTest, refuses_every_flipped_bit) {
  std::vector<uint8_t> file = sound().bytes();
  for (size_t bit = 0; bit < 8 * file.size(); ++bit) {
    std::vector<uint8_t> damaged = file;
    damaged[bit / 8] ^= 1 << bit % 8;
    ASSERT_EQ(load(damaged), PMPD_BAD_MODEL) << "bit " << bit;
  }
}

TEST(NpuProgramTest, refuses_bad_headers) {
  refusesByte("begins with \"PNPU\"", 0, 'X');
  refusesByte("version 1.0, but got 2.0", 4, 2);
  refusesByte("version 1.0, but got 1.1", 6, 1);
  refusesByte("64 bytes without flags", 8, 65);
  refusesByte("64 bytes without flags", 12, 1);
  std::vector<uint8_t> file = sound().bytes();
  file[28] ^= 1;
  EXPECT_FAILS(PMPD_BAD_MODEL, "checksum of the header", load(file));
}

TEST(NpuProgramTest, refuses_bad_sections) {
  size_t strings = sectionAt(sound().bytes(), "STRS");
  refusesByte("unknown section", strings, 'X');
  refusesByte("has flags", strings + 4, 1);
  refusesByte("alignment 3", strings + 24, 3);
  refusesByte("is not where", strings + 8, 0xFF);
  refusesByte("alignment 0", strings + 24, 0);
  std::vector<uint8_t> file = sound().bytes();
  std::memcpy(&file[sectionAt(file, "DBUG")], "CODE", 4);
  reseal(file);
  EXPECT_FAILS(PMPD_BAD_MODEL, "occurs twice", load(file));
  file = sound().bytes();
  std::memcpy(&file[sectionAt(file, "HWCF")], "TMAP", 4);
  reseal(file);
  EXPECT_FAILS(PMPD_BAD_MODEL, "section", load(file));
  file = sound().bytes();
  file[file.size() - 1] ^= 1;
  EXPECT_FAILS(PMPD_BAD_MODEL, "checksum of section \"DBUG\"", load(file));
}

TEST(NpuProgramTest, refuses_bad_tables) {
  refuses("reserved byte", [](auto &b) { b.abi.reserved = 1; });
  refuses("reserved byte", [](auto &b) { b.regions[0].zero = 1; });
  refuses("names a string", [](auto &b) { b.regions[0].name = 1000; });
  refuses("end with NUL", [](auto &b) { b.strings += 'x'; });
}

TEST(NpuProgramTest, refuses_a_bad_abi) {
  refuses("ABI of version 1, but got 2", [](auto &b) { b.abi.version = 2; });
  refuses("format of the KV cache", [](auto &b) { b.abi.kv_format = 3; });
  refuses("dimensions from 1", [](auto &b) { b.abi.vocab = 0; });
  refuses("dimensions from 1", [](auto &b) { b.abi.layers = 1 << 25; });
  refuses("multiple of the KV heads", [](auto &b) { b.abi.heads = 3; });
  refuses("multiple of 8", [](auto &b) { b.abi.head_dim = 12; });
  refuses("kv_bytes", [](auto &b) { ++b.abi.kv_bytes; });
}

TEST(NpuProgramTest, refuses_bad_regions) {
  refuses("unknown phase", [](auto &b) { b.regions[0].phase = 9; });
  refuses("max_rows 2", [](auto &b) { b.regions[0].max_rows = 2; });
  refuses("max_rows 0", [](auto &b) { b.regions[0].max_rows = 0; });
  refuses("beyond the instructions", [](auto &b) {
    b.regions[0].first = 1, b.add("halt"), b.regions[0].count = 3;
  });
  refuses("more scratchpad", [](auto &b) { ++b.regions[0].scratchpad_peak; });
  refuses("2^40 bytes",
          [](auto &b) { b.regions[0].dram_scratch = uint64_t{1} << 40; });
  refuses("budget of 0", [](auto &b) { b.regions[0].budget = 0; });
}

TEST(NpuProgramTest, refuses_other_machines) {
  refuses("instructions of version 1",
          [](auto &b) { b.required.isa_version = 2; });
  refuses("row blocks of 64", [](auto &b) { b.required.row_block = 32; });
}

TEST(NpuProgramTest, refuses_other_weights) {
  std::vector<uint8_t> file = sound().bytes();
  Program program;
  ASSERT_PMPD_OK(Program::load("test", file.data(), file.size(), program));
  pmpd::rt::Digest digest = {1, 2, 3};
  EXPECT_PMPD_OK(program.checkWeights(digest));
  digest[15] = 1;
  EXPECT_FAILS(PMPD_BAD_MODEL, "weights are not those",
               program.checkWeights(digest));
}
