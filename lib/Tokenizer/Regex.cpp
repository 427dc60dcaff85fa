// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Tokenizer/Regex.h"
#include "lib/Tokenizer/Component.h"
#include "lib/Tokenizer/Utf8.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

using namespace pmpd::tokenizer;

Regex::Regex(const std::string &pattern, bool literal) {
  // Oniguruma intersects classes with &&, PCRE2 reads it as two characters.
  if (!literal && pattern.find("&&") != std::string::npos)
    throw LoadError("unsupported regex '" + pattern +
                    "': expected no class intersection '&&'");
  int number = 0;
  PCRE2_SIZE where = 0;
  uint32_t options =
      PCRE2_UTF |
      (literal ? PCRE2_LITERAL : PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C);
  pcre2_code *compiled =
      pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()),
                    pattern.size(), options, &number, &where, nullptr);
  if (!compiled) {
    PCRE2_UCHAR text[256];
    pcre2_get_error_message(number, text, sizeof(text));
    throw LoadError("malformed regex '" + pattern + "' at byte " +
                    std::to_string(where) + ": " +
                    reinterpret_cast<const char *>(text));
  }
  code.reset(compiled, pcre2_code_free);
}

void Regex::findInValid(std::string_view text, size_t offset,
                        std::vector<Span> &matches) const {
  std::unique_ptr<pcre2_match_data, decltype(&pcre2_match_data_free)> data(
      pcre2_match_data_create(1, nullptr), pcre2_match_data_free);
  const PCRE2_SIZE *range = pcre2_get_ovector_pointer(data.get());
  for (size_t pos = 0; pos < text.size();) {
    // rc is 0 when the pattern has groups, which are not asked for.
    int rc = pcre2_match(code.get(), reinterpret_cast<PCRE2_SPTR>(text.data()),
                         text.size(), pos, PCRE2_NO_UTF_CHECK | PCRE2_NOTEMPTY,
                         data.get(), nullptr);
    // \K may move the start of a match behind what was consumed already.
    if (rc < 0 || range[0] < pos || range[1] <= range[0])
      return;
    matches.push_back({offset + range[0], offset + range[1]});
    pos = range[1];
  }
}

std::vector<Span> Regex::findAll(std::string_view text) const {
  std::vector<Span> matches;
  for (size_t begin = 0, end = 0; begin < text.size(); begin = ++end) {
    while (end < text.size()) {
      size_t length = utf8Length(text, end);
      if (length == 0)
        break;
      end += length;
    }
    findInValid(text.substr(begin, end - begin), begin, matches);
  }
  return matches;
}
