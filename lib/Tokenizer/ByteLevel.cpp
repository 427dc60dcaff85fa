// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Tokenizer/ByteLevel.h"
#include "lib/Tokenizer/Utf8.h"

#include <array>
#include <unordered_map>

using namespace pmpd::tokenizer;

namespace {

struct Alphabet {
  std::array<std::string, 256> ofByte;
  std::unordered_map<std::string, char> toByte;

  Alphabet() {
    unsigned standIn = 256;
    for (unsigned byte = 0; byte < 256; ++byte) {
      bool printable = (byte >= 33 && byte <= 126) ||
                       (byte >= 161 && byte <= 172) || byte >= 174;
      unsigned point = printable ? byte : standIn++;
      std::string &text = ofByte[byte];
      if (point >= 0x80) {
        text += static_cast<char>(0xC0 | point >> 6);
        text += static_cast<char>(0x80 | (point & 0x3F));
      } else {
        text += static_cast<char>(point);
      }
      toByte[text] = static_cast<char>(byte);
    }
  }
};

const Alphabet &alphabet() {
  static const Alphabet instance;
  return instance;
}

} // namespace

std::string pmpd::tokenizer::toAlphabet(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size() * 2);
  for (char byte : bytes)
    text += alphabet().ofByte[static_cast<unsigned char>(byte)];
  return text;
}

std::string pmpd::tokenizer::fromAlphabet(std::string_view text) {
  std::string bytes;
  for (size_t pos = 0; pos < text.size();) {
    size_t length = utf8Length(text, pos);
    auto it = alphabet().toByte.find(std::string(text.substr(pos, length)));
    if (length == 0 || it == alphabet().toByte.end())
      return std::string(text);
    bytes += it->second;
    pos += length;
  }
  return bytes;
}
