// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// GPT-2's alphabet: 256 printable characters that stand for the bytes.
#ifndef PMPD_LIB_TOKENIZER_BYTELEVEL_H
#define PMPD_LIB_TOKENIZER_BYTELEVEL_H

#include <string>
#include <string_view>

namespace pmpd::tokenizer {

/// The alphabet's character for each byte, in UTF-8.
std::string toAlphabet(std::string_view bytes);

/// The inverse; text with a character outside the alphabet stays as it is.
std::string fromAlphabet(std::string_view text);

} // namespace pmpd::tokenizer

#endif // PMPD_LIB_TOKENIZER_BYTELEVEL_H
