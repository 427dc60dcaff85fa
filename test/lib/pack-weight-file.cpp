// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Pack/Pack.h"
#include "lib/Pack/WeightFile.h"
#include "test/lib/RandomTensor.h"
#include "test/lib/TemporaryFolder.h"

#include <csignal>
#include <cstring>
#include <sys/wait.h>
#include <unistd.h>

using namespace pmpd;
using namespace pmpd::test;

namespace {

class WeightFile : public TemporaryFolder {
protected:
  /// Writes one nested and one dense section. Returns the digest.
  Digest writeExample(const std::string &name) {
    std::string error;
    auto writer = WeightFileWriter::create(pathOf(name), error);
    EXPECT_TRUE(writer) << error;
    nested = pack(randomTensor(shape, 3), PMPD_LAYOUT_S);
    auto first = writer->addSection(
        WeightSection::nested("layer.0", PMPD_LAYOUT_S, shape), nested.data(),
        error);
    EXPECT_EQ(first, PMPD_SECTION_ALIGN) << error;
    auto second = writer->addSection(
        WeightSection::dense("norm", PMPD_F32, 1, 8), dense.data(), error);
    EXPECT_TRUE(second && *second % PMPD_SECTION_ALIGN == 0) << error;
    auto digest = writer->commit(error);
    EXPECT_TRUE(digest) << error;
    return digest.value_or(Digest{});
  }

  /// Whether a file with these contents is refused at opening or verifying.
  bool refuses(const std::string &contents) {
    std::string error;
    auto reader = WeightFileReader::open(write("damaged", contents), error);
    bool refused = !reader || !reader->verify(error);
    EXPECT_EQ(refused, !error.empty());
    return refused;
  }

  NestedShape shape = nestedShape(20, 64, 32, {2, 3, 4});
  std::vector<uint8_t> nested;
  std::vector<float> dense = {1, 2, 3, 4, 5, 6, 7, 8};
};

TEST_F(WeightFile, ReaderReturnsWhatWasWritten) {
  Digest digest = writeExample("w");
  std::string error;
  auto reader = WeightFileReader::open(pathOf("w"), error);
  ASSERT_TRUE(reader) << error;
  EXPECT_TRUE(reader->verify(error)) << error;
  EXPECT_EQ(reader->digest(), digest);
  ASSERT_EQ(reader->sections().size(), 2u);
  const WeightSection *layer = reader->find("layer.0");
  ASSERT_TRUE(layer);
  EXPECT_EQ(layer->shape.prefixes, shape.prefixes);
  EXPECT_EQ(layer->shape.rows, 20);
  EXPECT_EQ(layer->shape.group, 32);
  EXPECT_EQ(layer->layout, PMPD_LAYOUT_S);
  ASSERT_EQ(layer->bytes(), nested.size());
  EXPECT_EQ(std::memcmp(reader->data(*layer), nested.data(), nested.size()), 0);
  const WeightSection *norm = reader->find("norm");
  ASSERT_TRUE(norm);
  ASSERT_EQ(norm->bytes(), 32u);
  EXPECT_EQ(std::memcmp(reader->data(*norm), dense.data(), 32), 0);
  EXPECT_EQ(reader->find("absent"), nullptr);
}

TEST_F(WeightFile, HeaderIsAsDocumented) {
  writeExample("w");
  std::string contents = read("w");
  pmpd_weights_header header;
  std::memcpy(&header, contents.data(), sizeof(header));
  EXPECT_STREQ(header.magic, "PMPDWGT");
  EXPECT_EQ(header.version, 1u);
  EXPECT_EQ(header.file_bytes, contents.size());
  EXPECT_EQ(header.sections, 2u);
  EXPECT_EQ(contents.substr(contents.size() - header.names_bytes),
            std::string("layer.0\0norm\0", 13));
}

TEST_F(WeightFile, DigestIsXxh3InCanonicalForm) {
  DigestStream stream;
  // XXH3-128 of no bytes, as published with the algorithm.
  const Digest empty = {0x99, 0xaa, 0x06, 0xd3, 0x01, 0x47, 0x98, 0xd8,
                        0x60, 0x01, 0xc3, 0x24, 0x46, 0x8d, 0x49, 0x7f};
  EXPECT_EQ(stream.digest(), empty);
  stream.append("ab", 2);
  Digest whole = stream.digest();
  stream.reset();
  stream.append("a", 1);
  stream.append("b", 1);
  EXPECT_EQ(stream.digest(), whole);
  EXPECT_NE(whole, empty);
}

TEST_F(WeightFile, NothingAppearsWithoutCommit) {
  std::string error;
  {
    auto writer = WeightFileWriter::create(pathOf("w"), error);
    ASSERT_TRUE(writer) << error;
    ASSERT_TRUE(
        writer->begin(WeightSection::dense("a", PMPD_F32, 1, 8), error));
    ASSERT_TRUE(writer->append(dense.data(), 16, error));
    EXPECT_FALSE(std::filesystem::exists(pathOf("w")));
    EXPECT_EQ(count(), 1);
  }
  EXPECT_EQ(count(), 0);
}

TEST_F(WeightFile, NothingAppearsWhenKilled) {
  write("w", "old");
  pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    std::string error;
    auto writer = WeightFileWriter::create(pathOf("w"), error);
    if (writer)
      writer->addSection(WeightSection::dense("a", PMPD_F32, 1, 8),
                         dense.data(), error);
    raise(SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(read("w"), "old");
}

TEST_F(WeightFile, AnOldFileStaysUntilCommit) {
  write("w", "old");
  std::string error;
  { ASSERT_TRUE(WeightFileWriter::create(pathOf("w"), error)) << error; }
  EXPECT_EQ(read("w"), "old");
  writeExample("w");
  EXPECT_NE(read("w"), "old");
  EXPECT_EQ(count(), 1);
}

TEST_F(WeightFile, SameContentSameDigest) {
  Digest a = writeExample("a");
  EXPECT_EQ(writeExample("b"), a);
  dense[7] = 9;
  EXPECT_NE(writeExample("c"), a);
}

TEST_F(WeightFile, BadSectionsAreRefused) {
  std::string error;
  auto writer = WeightFileWriter::create(pathOf("w"), error);
  ASSERT_TRUE(writer);
  ASSERT_TRUE(writer->addSection(WeightSection::dense("a", PMPD_F32, 1, 8),
                                 dense.data(), error));
  EXPECT_FALSE(writer->begin(WeightSection::dense("a", PMPD_F32, 1, 8), error));
  EXPECT_EQ(error, "section 'a': expected a name that is not taken");
  EXPECT_FALSE(writer->begin(WeightSection::dense("", PMPD_F32, 1, 8), error));
  EXPECT_FALSE(writer->begin(WeightSection::dense("b", PMPD_F32, 0, 8), error));
  ASSERT_TRUE(writer->begin(WeightSection::dense("c", PMPD_F16, 1, 8), error));
  ASSERT_TRUE(writer->append(dense.data(), 12, error));
  EXPECT_FALSE(writer->end(error));
  EXPECT_EQ(error, "section 'c': expected 16 bytes, but got 12");
}

TEST_F(WeightFile, UnwritableFoldersAreRefused) {
  std::string error;
  EXPECT_FALSE(WeightFileWriter::create(pathOf("absent/w"), error));
  EXPECT_NE(error.find("cannot be written: No such file or directory"),
            std::string::npos)
      << error;
  EXPECT_FALSE(WeightFileWriter::create(folder, error));
  EXPECT_NE(error.find("this is a folder"), std::string::npos) << error;
}

TEST_F(WeightFile, EveryTruncationIsRefused) {
  writeExample("w");
  std::string contents = read("w");
  for (size_t size = 0; size < contents.size();
       size += size < 256 || size + 256 > contents.size() ? 1 : 97)
    ASSERT_TRUE(refuses(contents.substr(0, size))) << size;
  EXPECT_TRUE(refuses(contents + '\0'));
  EXPECT_FALSE(refuses(contents));
}

TEST_F(WeightFile, EveryFlippedBitIsRefused) {
  writeExample("w");
  const std::string contents = read("w");
  pmpd_weights_header header;
  std::memcpy(&header, contents.data(), sizeof(header));
  auto flip = [&](size_t byte, int bit) {
    std::string damaged = contents;
    damaged[byte] = static_cast<char>(damaged[byte] ^ 1 << bit);
    return refuses(damaged);
  };
  for (size_t byte = 0; byte < sizeof(header); ++byte)
    for (int bit = 0; bit < 8; ++bit)
      ASSERT_TRUE(flip(byte, bit)) << "header byte " << byte;
  for (size_t byte = header.table_offset; byte < contents.size(); ++byte)
    ASSERT_TRUE(flip(byte, static_cast<int>(byte % 8))) << "byte " << byte;
  for (size_t i = 0; i < nested.size(); i += 13)
    ASSERT_TRUE(flip(PMPD_SECTION_ALIGN + i, static_cast<int>(i % 8)));
}

/// What the digest alone does not catch: tables that a hostile writer signed.
TEST_F(WeightFile, SignedNonsenseIsRefusedOrHarmless) {
  writeExample("w");
  const std::string contents = read("w");
  std::mt19937 random(5);
  int refused = 0;
  for (int round = 0; round < 500; ++round) {
    std::string damaged = contents;
    pmpd_weights_header header;
    std::memcpy(&header, damaged.data(), sizeof(header));
    size_t tail = damaged.size() - header.table_offset;
    for (int i = 0; i < 3; ++i)
      damaged[header.table_offset + random() % tail] =
          static_cast<char>(random() % 4 ? 0xFF << random() % 8 : random());
    DigestStream stream;
    stream.append(damaged.data() + header.table_offset, tail);
    Digest digest = stream.digest();
    std::memcpy(damaged.data() + offsetof(pmpd_weights_header, digest),
                digest.data(), digest.size());
    refused += refuses(damaged);
  }
  EXPECT_GT(refused, 375);
}

} // namespace
