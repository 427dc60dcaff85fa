// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/pmpd-gpu-check/WeightHead.h"

#include "test/runtime/Fixture.h"
#include "test/runtime/WeightFileBuilder.h"
#include "tools/support/Tool.h"

#include <algorithm>
#include <cstring>
#include <set>

using namespace pmpd;
using namespace pmpd::test;

namespace {

/// A file with one dense section.
std::vector<uint8_t> denseFile() {
  WeightFileBuilder builder;
  builder.addDense("embedding", kVocab, kHidden,
                   std::vector<float>(kVocab * kHidden, 2.0f));
  return builder.build();
}

} // namespace

// The table is enough to open a model, the contents are made anew.
TEST(WeightHeadTest, a_head_becomes_a_weight_file_of_the_same_table) {
  TempDir dir;
  std::vector<uint8_t> original = denseFile();
  std::string weights = dir.write("weights", original);
  tools::writeHead(weights, dir.path("head"));
  EXPECT_LT(std::filesystem::file_size(dir.path("head")), 200u);
  tools::fillWeights(dir.path("head"), dir.path("filled"));
  std::string filled = tools::readText(dir.path("filled"));
  ASSERT_EQ(filled.size(), original.size());
  pmpd_weights_header header = readHeader(original);
  EXPECT_EQ(std::memcmp(filled.data(), original.data(), sizeof(header)), 0);
  EXPECT_EQ(std::memcmp(filled.data() + header.table_offset,
                        original.data() + header.table_offset,
                        original.size() - header.table_offset),
            0);
  pmpd_model_options options = PMPD_MODEL_OPTIONS_INIT;
  options.verify = PMPD_VERIFY_TABLE;
  pmpd_model_desc desc = *fakeModel();
  std::memcpy(desc.weights_digest, header.digest, sizeof(header.digest));
  pmpd_model *model = nullptr;
  EXPECT_PMPD_OK(
      pmpd_model_open(&desc, dir.path("filled").c_str(), &options, &model));
  pmpd_model_close(model);
  for (int64_t i = 0; i < kVocab * kHidden; ++i) {
    float value;
    std::memcpy(&value, filled.data() + PMPD_SECTION_ALIGN + 4 * i, 4);
    EXPECT_GE(value, 0.5f);
    EXPECT_LT(value, 1.0f);
  }
}

// Several threads fill a large one, piece by piece.
TEST(WeightHeadTest, all_of_a_large_section_is_filled_and_none_twice_alike) {
  constexpr int64_t rows = 1000, cols = 1003;
  TempDir dir;
  WeightFileBuilder builder;
  builder.addDense("large", rows, cols, std::vector<float>(rows * cols, 2.0f));
  tools::writeHead(dir.write("weights", builder.build()), dir.path("head"));
  tools::fillWeights(dir.path("head"), dir.path("filled"));
  std::string filled = tools::readText(dir.path("filled"));
  std::vector<float> values(rows * cols);
  std::memcpy(values.data(), filled.data() + PMPD_SECTION_ALIGN,
              values.size() * sizeof(float));
  auto [least, most] = std::minmax_element(values.begin(), values.end());
  EXPECT_GE(*least, 0.5f);
  EXPECT_LT(*most, 1.0f);
  std::set<std::string> pieces;
  for (size_t at = 0; at + 4096 <= values.size() * sizeof(float); at += 4096)
    EXPECT_TRUE(
        pieces.insert(filled.substr(PMPD_SECTION_ALIGN + at, 4096)).second);
}

TEST(WeightHeadTest, what_is_no_weight_file_is_refused) {
  TempDir dir;
  std::string other = dir.write("other", std::string(100, 'x'));
  for (auto make : {tools::writeHead, tools::fillWeights})
    EXPECT_THROW(make(other, dir.path("out")), tools::ToolError);
  tools::writeHead(dir.write("cpu", fakeWeights()), dir.path("head"));
  EXPECT_THROW(tools::fillWeights(dir.path("head"), dir.path("out")),
               tools::ToolError); // in the layout of CPUs
  std::vector<uint8_t> cut = denseFile();
  tools::writeHead(dir.write("weights", cut), dir.path("head"));
  std::string head = tools::readText(dir.path("head"));
  std::string shorter = dir.write("shorter", head.substr(0, head.size() - 1));
  EXPECT_THROW(tools::fillWeights(shorter, dir.path("out")), tools::ToolError);
}
