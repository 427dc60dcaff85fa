// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Tokenizer/AddedTokens.h"
#include "lib/Tokenizer/Regex.h"
#include "lib/Tokenizer/Utf8.h"

#include <algorithm>

using namespace pmpd::tokenizer;

AddedToken pmpd::tokenizer::readAddedToken(const Json &entry) {
  bool special = valueOr(entry, "special", false);
  return {readId(entry.at("id")),
          entry.at("content").get<std::string>(),
          valueOr(entry, "single_word", false),
          valueOr(entry, "lstrip", false),
          valueOr(entry, "rstrip", false),
          valueOr(entry, "normalized", !special),
          special};
}

/// Whether the character is white space.
static bool isSpace(std::string_view character) {
  static const Regex space(R"(\s)", false);
  return !space.findAll(character).empty();
}

/// Whether the character belongs to a word, as Unicode's \w.
static bool isWord(std::string_view character) {
  static const Regex word(R"([\p{L}\p{M}\p{Nd}\p{Nl}\p{Pc}\x{200C}\x{200D}])",
                          false);
  return !word.findAll(character).empty();
}

/// The character that starts at `pos`, empty at the end.
static std::string_view characterAt(std::string_view text, size_t pos) {
  return text.substr(pos, pos < text.size() ? utf8Length(text, pos) : 0);
}

/// The character that ends at `pos`, empty at the start.
static std::string_view characterBefore(std::string_view text, size_t pos) {
  for (size_t length = 1; length <= std::min<size_t>(pos, 4); ++length)
    if (utf8Length(text, pos - length) == length)
      return text.substr(pos - length, length);
  return {};
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
    if (!token.singleWord ||
        !(isWord(characterBefore(text, pos)) || isWord(characterAt(text, end))))
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
    if (token->lstrip)
      for (std::string_view space;
           isSpace(space = characterBefore(text.substr(done), begin - done));)
        begin -= space.size();
    if (token->rstrip)
      for (std::string_view space; isSpace(space = characterAt(text, end));)
        end += space.size();
    flush(begin);
    onToken(token->id);
    done = pos = end;
  }
  flush(text.size());
}
