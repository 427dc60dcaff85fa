// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/WeightFile.h"

#include "pmpd/layout.h"
#include "test/runtime/Fixture.h"
#include "test/runtime/WeightFileBuilder.h"

#include <cstring>
#include <fstream>
#include <random>

using namespace pmpd::rt;
using namespace pmpd::test;

namespace {

class WeightFileTest : public ::testing::Test {
protected:
  WeightFileTest() {
    builder.addDense("norm", 1, 8, std::vector<float>(8, 1.0f));
    builder.addNested("linear", 20, 64, 32);
    file = builder.build();
  }

  /// Opens `file`, by default with the digest its header has.
  pmpd_status open(pmpd_verify verify = PMPD_VERIFY_FULL) {
    pmpd_weights_header header = {};
    std::memcpy(&header, file.data(), std::min(file.size(), sizeof(header)));
    WeightFile opened;
    return WeightFile::open(dir.write("test.pmpdw", file), header.digest,
                            verify, opened);
  }

  void rebuild() { file = builder.build(); }

  TempDir dir;
  WeightFileBuilder builder;
  std::vector<uint8_t> file;
};

} // namespace

TEST_F(WeightFileTest, opens_a_sound_file) { EXPECT_PMPD_OK(open()); }

TEST_F(WeightFileTest, a_missing_file_is_not_found) {
  WeightFile opened;
  uint8_t digest[16] = {};
  EXPECT_FAILS(PMPD_NOT_FOUND, "none.pmpdw",
               WeightFile::open(dir.path("none.pmpdw"), digest,
                                PMPD_VERIFY_AUTO, opened));
}

TEST_F(WeightFileTest, a_directory_cannot_be_mapped) {
  WeightFile opened;
  uint8_t digest[16] = {};
  EXPECT_FAILS(PMPD_IO_ERROR, "regular file",
               WeightFile::open(dir.path(), digest, PMPD_VERIFY_AUTO, opened));
}

TEST_F(WeightFileTest, refuses_every_truncation) {
  const std::vector<uint8_t> whole = file;
  for (size_t size : {size_t(0), size_t(1), size_t(63), size_t(64),
                      whole.size() / 2, whole.size() - 1}) {
    file.assign(whole.begin(), whole.begin() + size);
    EXPECT_FAILS(PMPD_BAD_MODEL, "truncated", open());
  }
}

TEST_F(WeightFileTest, refuses_appended_bytes) {
  file.push_back(0);
  EXPECT_FAILS(PMPD_BAD_MODEL, "truncated or was changed", open());
}

TEST_F(WeightFileTest, refuses_other_magic_and_version) {
  file[0] ^= 1;
  EXPECT_FAILS(PMPD_BAD_MODEL, "first bytes", open());
  rebuild();
  pmpd_weights_header header = readHeader(file);
  header.version = 2;
  writeHeader(file, header);
  EXPECT_FAILS(PMPD_BAD_MODEL, "version 1, but got 2", open());
}

TEST_F(WeightFileTest, refuses_a_table_outside_the_file) {
  for (uint64_t offset : {uint64_t(0), uint64_t(UINT64_MAX), uint64_t(8)}) {
    rebuild();
    pmpd_weights_header header = readHeader(file);
    header.table_offset = offset;
    writeHeader(file, header);
    EXPECT_FAILS(PMPD_BAD_MODEL, "section table", open());
  }
  rebuild();
  pmpd_weights_header header = readHeader(file);
  header.sections = UINT32_MAX;
  writeHeader(file, header);
  EXPECT_FAILS(PMPD_BAD_MODEL, "section table", open());
}

TEST_F(WeightFileTest, refuses_a_changed_table) {
  file[readHeader(file).table_offset + 40] ^= 1;
  EXPECT_FAILS(PMPD_BAD_MODEL, "does not match its digest", open());
}

TEST_F(WeightFileTest, refuses_the_weights_of_another_model) {
  uint8_t digest[16] = {1};
  WeightFile opened;
  EXPECT_FAILS(PMPD_BAD_MODEL, "from another model or an older compile",
               WeightFile::open(dir.write("test.pmpdw", file), digest,
                                PMPD_VERIFY_AUTO, opened));
}

TEST_F(WeightFileTest, finds_a_changed_payload_unless_told_not_to_look) {
  file[builder.sections[1].offset + 5] ^= 1;
  EXPECT_FAILS(PMPD_BAD_MODEL, "'linear' does not match its digest", open());
  EXPECT_FAILS(PMPD_BAD_MODEL, "'linear'", open(PMPD_VERIFY_AUTO));
  EXPECT_PMPD_OK(open(PMPD_VERIFY_TABLE));
}

TEST_F(WeightFileTest, refuses_sections_outside_the_payload) {
  const std::vector<pmpd_section> sound = builder.sections;
  for (uint64_t offset :
       {uint64_t(0), uint64_t(4097), uint64_t(1) << 40, ~uint64_t(4095)}) {
    builder.sections[1].offset = offset;
    rebuild();
    EXPECT_FAILS(PMPD_BAD_MODEL, "outside the payload", open());
  }
  builder.sections = sound;
  builder.sections[0].bytes = UINT64_MAX;
  rebuild();
  EXPECT_FAILS(PMPD_BAD_MODEL, "outside the payload", open());
}

TEST_F(WeightFileTest, refuses_bytes_that_do_not_match_the_shape) {
  builder.sections[0].cols = 9;
  rebuild();
  EXPECT_FAILS(PMPD_BAD_MODEL, "expected 36 bytes for its shape, but got 32",
               open());
}

TEST_F(WeightFileTest, refuses_shapes_and_layouts_that_do_not_fit) {
  const pmpd_section sound = builder.sections[1];
  auto expectRefused = [&](auto edit) {
    builder.sections[1] = sound;
    edit(builder.sections[1]);
    rebuild();
    EXPECT_FAILS(PMPD_BAD_MODEL, "do not belong together", open());
  };
  expectRefused([](pmpd_section &s) { s.rows = 0; });
  expectRefused([](pmpd_section &s) { s.rows = s.cols = UINT32_MAX; });
  expectRefused([](pmpd_section &s) { s.group = 0; });
  expectRefused([](pmpd_section &s) { s.group = 48; });
  expectRefused([](pmpd_section &s) { s.cols = 48, s.group = 48; });
  expectRefused([](pmpd_section &s) { s.bits = 5; });
  expectRefused([](pmpd_section &s) { s.prefixes = 0; });
  expectRefused([](pmpd_section &s) { s.prefixes = 5; });
  expectRefused([](pmpd_section &s) { s.prefix[1] = 2; });
  expectRefused([](pmpd_section &s) { s.prefix[0] = 1; });
  expectRefused([](pmpd_section &s) { s.element = PMPD_F32; });
  expectRefused([](pmpd_section &s) { s.layout = PMPD_LAYOUT_DENSE; });
  expectRefused([](pmpd_section &s) { s.layout = 7; });
}

TEST_F(WeightFileTest, refuses_names_that_are_not_terminated_or_outside) {
  builder.names.back() = 'x';
  rebuild();
  EXPECT_FAILS(PMPD_BAD_MODEL, "NUL-terminated", open());
  builder.names.back() = '\0';
  builder.sections[1].name = 1000;
  rebuild();
  EXPECT_FAILS(PMPD_BAD_MODEL, "name of section 1", open());
}

// Flips bytes of the header and of the table. With the digests made right
// again the later checks see the damage too.
TEST_F(WeightFileTest, survives_random_damage) {
  const std::vector<uint8_t> sound = file;
  const uint64_t table = readHeader(sound).table_offset;
  const std::string path = dir.write("test.pmpdw", sound);
  std::mt19937 random(1);
  int refused = 0;
  for (int round = 0; round < 4000; ++round) {
    file = sound;
    for (int edits = 1 + random() % 4; edits > 0; --edits) {
      size_t header = random() % sizeof(pmpd_weights_header);
      size_t at =
          random() % 4 ? table + random() % (sound.size() - table) : header;
      file[at] = uint8_t(random());
    }
    pmpd_weights_header header = readHeader(file);
    if (header.table_offset == table) {
      Digest digest = computeDigest(file.data() + table, file.size() - table);
      std::memcpy(header.digest, digest.data(), digest.size());
      writeHeader(file, header);
    }
    // In place, as a new file per round would keep the disk busy.
    std::fstream(path, std::ios::in | std::ios::out | std::ios::binary)
        .write(reinterpret_cast<const char *>(file.data()), file.size());
    WeightFile opened;
    refused += WeightFile::open(path, header.digest, PMPD_VERIFY_FULL,
                                opened) != PMPD_OK;
  }
  EXPECT_GT(refused, 3000); // the rest hit names and reserved bytes
}
