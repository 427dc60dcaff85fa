// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_LIB_TOKENIZER_UTF8_H
#define PMPD_LIB_TOKENIZER_UTF8_H

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace pmpd::tokenizer {

/// Bytes of the well-formed UTF-8 character at `pos`, 1 to 4, or 0 if there is
/// none: no overlong forms, surrogates or code points above U+10FFFF.
inline size_t utf8Length(std::string_view text, size_t pos) {
  auto byte = [&](size_t i) { return static_cast<uint8_t>(text[pos + i]); };
  uint8_t lead = byte(0);
  if (lead < 0x80)
    return 1;
  size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || pos + length > text.size())
    return 0;
  for (size_t i = 1; i < length; ++i)
    if ((byte(i) & 0xC0) != 0x80)
      return 0;
  if ((lead == 0xE0 && byte(1) < 0xA0) || (lead == 0xED && byte(1) > 0x9F) ||
      (lead == 0xF0 && byte(1) < 0x90) || (lead == 0xF4 && byte(1) > 0x8F))
    return 0;
  return length;
}

} // namespace pmpd::tokenizer

#endif // PMPD_LIB_TOKENIZER_UTF8_H
