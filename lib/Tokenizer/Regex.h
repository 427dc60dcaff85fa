// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_LIB_TOKENIZER_REGEX_H
#define PMPD_LIB_TOKENIZER_REGEX_H

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

struct pcre2_real_code_8;

namespace pmpd::tokenizer {

/// Half-open range of bytes.
struct Span {
  size_t begin;
  size_t end;
};

/// A Unicode-aware regular expression, as tokenizer.json files hold them.
class Regex {
public:
  /// Compiles a pattern, taken character by character if `literal`. Throws
  /// LoadError if it is malformed.
  Regex(const std::string &pattern, bool literal);

  /// Non-overlapping, non-empty matches, leftmost first. Bytes that are not
  /// UTF-8 match nothing and end the text on either side. Where matching
  /// exceeds PCRE2's limits, the rest of such a text counts as unmatched.
  std::vector<Span> findAll(std::string_view text) const;

private:
  void findInValid(std::string_view text, size_t offset,
                   std::vector<Span> &matches) const;
  std::shared_ptr<const pcre2_real_code_8> code;
};

/// A pattern of tokenizer.json: {"String": "..."} or {"Regex": "..."}.
/// Throws as Regex does.
template <typename JsonT> Regex readPattern(const JsonT &pattern) {
  if (pattern.contains("String"))
    return Regex(pattern.at("String").template get<std::string>(), true);
  return Regex(pattern.at("Regex").template get<std::string>(), false);
}

} // namespace pmpd::tokenizer

#endif // PMPD_LIB_TOKENIZER_REGEX_H
