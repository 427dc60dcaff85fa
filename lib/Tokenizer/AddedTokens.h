// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_LIB_TOKENIZER_ADDEDTOKENS_H
#define PMPD_LIB_TOKENIZER_ADDEDTOKENS_H

#include "lib/Tokenizer/Component.h"
#include <array>
#include <cstdint>
#include <string_view>

namespace pmpd::tokenizer {

/// One entry of "added_tokens".
struct AddedToken {
  int32_t id;
  std::string content;
  bool singleWord;
  bool lstrip; /// Swallows the white space before it.
  bool rstrip;
  bool normalized; /// Is looked for in the normalized text.
  bool special;
};

/// Reads one entry. Throws Json::exception.
AddedToken readAddedToken(const Json &entry);

/// Finds added tokens in text: leftmost first, the longest where several start.
class AddedTokens {
public:
  void add(AddedToken token);

  /// Calls `onText` and `onToken` in order for what lies between tokens (never
  /// empty, with its offset) and for the tokens.
  void split(std::string_view text,
             const std::function<void(std::string_view, size_t)> &onText,
             const std::function<void(int32_t)> &onToken) const;

private:
  const AddedToken *matchAt(std::string_view text, size_t pos) const;
  std::array<std::vector<AddedToken>, 256> byFirstByte; // longest first
};

} // namespace pmpd::tokenizer

#endif // PMPD_LIB_TOKENIZER_ADDEDTOKENS_H
