// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/pmpd-run/TextStream.h"

#include <gtest/gtest.h>
#include <memory>
#include <utility>
#include <vector>

using namespace pmpd::tools;

namespace {

using Piece = std::pair<std::string, int32_t>;

/// What a file holds after each piece and after the end.
std::vector<std::string> written(BitMarks marks,
                                 const std::vector<Piece> &pieces) {
  std::unique_ptr<std::FILE, int (*)(std::FILE *)> file(std::tmpfile(),
                                                        std::fclose);
  TextStream stream(file.get(), marks);
  std::vector<std::string> states;
  auto note = [&] {
    std::string text(std::ftell(file.get()), '\0');
    std::rewind(file.get());
    EXPECT_EQ(std::fread(text.data(), 1, text.size(), file.get()), text.size());
    states.push_back(text);
  };
  for (const Piece &piece : pieces) {
    EXPECT_TRUE(stream.write(piece.first, piece.second));
    note();
  }
  EXPECT_TRUE(stream.finish());
  note();
  return states;
}

} // namespace

TEST(CompleteUtf8, holds_back_only_an_unfinished_character) {
  EXPECT_EQ(completeUtf8(""), 0u);
  EXPECT_EQ(completeUtf8("ab"), 2u);
  EXPECT_EQ(completeUtf8("a\xc3"), 1u);
  EXPECT_EQ(completeUtf8("a\xc3\xa9"), 3u);
  EXPECT_EQ(completeUtf8("\xe2\x82"), 0u);
  EXPECT_EQ(completeUtf8("\xe2\x82\xac"), 3u);
  EXPECT_EQ(completeUtf8("\xf0\x9f\x98"), 0u);
  EXPECT_EQ(completeUtf8("\xf0\x9f\x98\x80"), 4u);
  EXPECT_EQ(completeUtf8("\x80\x80\x80\x80"), 4u); // never a character
}

TEST(TextStream, writes_whole_characters) {
  std::vector<std::string> expected = {"a", "a", "a\xc3\xa9", "a\xc3\xa9\n"};
  EXPECT_EQ(written(BitMarks::None, {{"a", 4}, {"\xc3", 4}, {"\xa9", 4}}),
            expected);
}

TEST(TextStream, writes_what_was_held_back_at_the_end) {
  EXPECT_EQ(written(BitMarks::None, {{"a\xc3", 4}}).back(), "a\xc3\n");
}

TEST(TextStream, adds_no_second_line_end) {
  EXPECT_EQ(written(BitMarks::None, {{"a\n", 4}}).back(), "a\n");
  EXPECT_EQ(written(BitMarks::None, {}).back(), "");
}

TEST(TextStream, marks_a_segment_where_the_bits_change) {
  EXPECT_EQ(
      written(BitMarks::Segments, {{"a", 4}, {"b", 4}, {"c", 3}, {"d", 2}})
          .back(),
      "[4]ab[3]c[2]d\n");
}

TEST(TextStream, never_marks_inside_a_character) {
  EXPECT_EQ(written(BitMarks::Segments, {{"a\xc3", 4}, {"\xa9", 3}}).back(),
            "[4]a[3]\xc3\xa9\n");
}

TEST(TextStream, colours_end_with_the_text) {
  EXPECT_EQ(written(BitMarks::Colors, {{"a", 4}, {"b", 2}}).back(),
            "\033[32ma\033[31mb\033[0m\n");
}
