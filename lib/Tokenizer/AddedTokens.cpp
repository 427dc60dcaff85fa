// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Tokenizer/AddedTokens.h"

#include <algorithm>
#include <cctype>

using namespace pmpd::tokenizer;

AddedToken pmpd::tokenizer::readAddedToken(const Json &entry) {
  bool special = valueOr(entry, "special", false);
  return {entry.at("id").get<int32_t>(),
          entry.at("content").get<std::string>(),
          valueOr(entry, "single_word", false),
          valueOr(entry, "lstrip", false),
          valueOr(entry, "rstrip", false),
          valueOr(entry, "normalized", !special),
          special};
}

static bool isSpace(char c) {
  return std::isspace(static_cast<unsigned char>(c));
}

static bool isWord(char c) {
  auto byte = static_cast<unsigned char>(c);
  return std::isalnum(byte) || c == '_' || byte >= 0x80;
}

void AddedTokens::add(AddedToken token) {
  if (token.content.empty())
    return;
  auto &bucket = byFirstByte[static_cast<uint8_t>(token.content[0])];
  auto at = std::find_if(bucket.begin(), bucket.end(), [&](const auto &other) {
    return other.content.size() < token.content.size();
  });
  bucket.insert(at, std::move(token));
}

const AddedToken *AddedTokens::matchAt(std::string_view text,
                                       size_t pos) const {
  for (const AddedToken &token : byFirstByte[static_cast<uint8_t>(text[pos])]) {
    if (text.compare(pos, token.content.size(), token.content) != 0)
      continue;
    size_t end = pos + token.content.size();
    bool inWord = (pos > 0 && isWord(text[pos - 1])) ||
                  (end < text.size() && isWord(text[end]));
    if (!token.singleWord || !inWord)
      return &token;
  }
  return nullptr;
}

void AddedTokens::split(
    std::string_view text,
    const std::function<void(std::string_view, size_t)> &onText,
    const std::function<void(int32_t)> &onToken) const {
  size_t done = 0;
  auto flush = [&](size_t end) {
    if (done < end)
      onText(text.substr(done, end - done), done);
  };
  for (size_t pos = 0; pos < text.size();) {
    const AddedToken *token = matchAt(text, pos);
    if (!token) {
      ++pos;
      continue;
    }
    size_t begin = pos, end = pos + token->content.size();
    while (token->lstrip && begin > done && isSpace(text[begin - 1]))
      --begin;
    while (token->rstrip && end < text.size() && isSpace(text[end]))
      ++end;
    flush(begin);
    onToken(token->id);
    done = pos = end;
  }
  flush(text.size());
}
