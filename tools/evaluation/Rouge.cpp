// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/evaluation/Rouge.h"

#include "tools/evaluation/PorterStemmer.h"

#include <algorithm>

using namespace pmpd::tools;

namespace {

/// Shorter words have nothing to strip and are left alone.
constexpr size_t kStemmedLength = 4;

size_t commonSubsequence(const std::vector<std::string> &a,
                         const std::vector<std::string> &b) {
  std::vector<size_t> row(b.size() + 1); // [j]: of a so far and b's first j
  for (const std::string &word : a) {
    size_t diagonal = 0; // row[j - 1] before `word`
    for (size_t j = 1; j <= b.size(); ++j) {
      size_t above = row[j];
      row[j] = word == b[j - 1] ? diagonal + 1 : std::max(above, row[j - 1]);
      diagonal = above;
    }
  }
  return row.back();
}

} // namespace

std::vector<std::string> pmpd::tools::rougeWords(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  auto finish = [&] {
    if (word.size() >= kStemmedLength)
      word = porterStem(std::move(word));
    if (!word.empty())
      words.push_back(std::move(word));
    word.clear();
  };
  for (char c : text) {
    if (c >= 'A' && c <= 'Z')
      c += 'a' - 'A';
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
      word += c;
    else
      finish();
  }
  finish();
  return words;
}

double pmpd::tools::rougeL(const std::vector<std::string> &reference,
                           const std::vector<std::string> &answer) {
  double common = double(commonSubsequence(reference, answer));
  return common > 0 ? 2 * common / double(reference.size() + answer.size()) : 0;
}

double pmpd::tools::rougeL(std::string_view reference,
                           std::string_view answer) {
  return rougeL(rougeWords(reference), rougeWords(answer));
}
