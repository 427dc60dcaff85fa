// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/evaluation/Rouge.h"
#include "tools/evaluation/PorterStemmer.h"

#include <fstream>
#include <gtest/gtest.h>
#include <random>

using namespace pmpd::tools;

TEST(PorterStemmer, agrees_with_nltk) {
  std::ifstream stream(PMPD_STEMS); // of stems.py
  int count = 0;
  for (std::string word, stem; stream >> word >> stem; ++count)
    EXPECT_EQ(porterStem(word), stem) << word;
  EXPECT_GT(count, 1000);
}

TEST(PorterStemmer, takes_any_letters_and_digits) {
  std::mt19937 random(3);
  for (int round = 0; round < 20000; ++round) {
    std::string word(random() % 12, ' ');
    for (char &c : word)
      c = "aeiouyslztbdnmigfc09"[random() % 20];
    std::string stem = porterStem(word);
    EXPECT_LE(stem.size(), word.size() + 1) << word;
    EXPECT_EQ(stem.empty(), word.empty()) << word;
  }
}

TEST(RougeWords, are_lower_case_and_stemmed_if_long) {
  std::vector<std::string> expected = {"the", "fox", "s",    "was",
                                       "run", "42",  "hous", "x"};
  EXPECT_EQ(rougeWords("The FOX's was Running--42 houses \xc3\xa9x"), expected);
  EXPECT_TRUE(rougeWords(" ,.\xff").empty());
}

// Values of rouge_score with use_stemmer=True: its README and its tests.
TEST(RougeL, agrees_with_published_values) {
  EXPECT_NEAR(rougeL("The quick brown fox jumps over the lazy dog",
                     "The quick brown dog jumps on the log."),
              0.5882352941176471, 1e-15);
  EXPECT_DOUBLE_EQ(rougeL("testing one two", "testing"), 0.5);
  EXPECT_DOUBLE_EQ(rougeL("testing one two", "tests"), 0.5);
  EXPECT_DOUBLE_EQ(rougeL("testing one two", "testing two"), 0.8);
  EXPECT_DOUBLE_EQ(rougeL("testing one two", "two testing"), 0.4);
  EXPECT_EQ(rougeL("testing one two", ""), 0);
  EXPECT_EQ(rougeL("", "testing one two"), 0);
  EXPECT_EQ(rougeL("", ""), 0);
}

TEST(RougeL, counts_the_longest_common_subsequence) {
  // Against every subset of the shorter list.
  std::mt19937 random(8);
  for (int round = 0; round < 200; ++round) {
    auto draw = [&](size_t size) {
      std::vector<std::string> words(size);
      for (std::string &word : words)
        word = std::string(1, char('a' + random() % 4));
      return words;
    };
    std::vector<std::string> a = draw(1 + random() % 8), b = draw(12);
    size_t longest = 0;
    for (unsigned chosen = 0; chosen < 1u << a.size(); ++chosen) {
      size_t at = 0, length = 0;
      bool found = true;
      for (size_t i = 0; i < a.size() && found; ++i) {
        if (!(chosen >> i & 1))
          continue;
        while (at < b.size() && b[at] != a[i])
          ++at;
        found = at++ < b.size();
        ++length;
      }
      if (found)
        longest = std::max(longest, length);
    }
    double expected = 2.0 * double(longest) / double(a.size() + b.size());
    EXPECT_DOUBLE_EQ(rougeL(a, b), expected);
    EXPECT_DOUBLE_EQ(rougeL(b, a), expected);
  }
}
