// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Tokenizer/Decoder.h"
#include "lib/Tokenizer/ByteLevel.h"
#include "lib/Tokenizer/Normalizer.h"

#include <cctype>

using namespace pmpd::tokenizer;

/// "<0x0A>" -> its byte; other text stays.
static std::string decodeByteToken(std::string token) {
  if (token.size() != 6 || token.compare(0, 3, "<0x") != 0 || token[5] != '>' ||
      !std::isxdigit(static_cast<unsigned char>(token[3])) ||
      !std::isxdigit(static_cast<unsigned char>(token[4])))
    return token;
  return std::string(
      1, static_cast<char>(std::stoi(token.substr(3, 2), nullptr, 16)));
}

TextMap pmpd::tokenizer::readDecoder(const Json &component) {
  auto keep = [](std::string token) { return token; };
  if (component.is_null())
    return keep;
  auto type = component.at("type").get<std::string>();
  if (type == "Fuse" || type == "Strip")
    return keep;
  if (type == "ByteLevel")
    return [](std::string token) { return fromAlphabet(token); };
  if (type == "ByteFallback")
    return decodeByteToken;
  if (type == "Replace")
    return readNormalizer(component);
  if (type == "Metaspace") {
    auto mark = valueOr<std::string>(component, "replacement", "\u2581");
    return [=](std::string token) {
      return replaceAll(std::move(token), mark, " ");
    };
  }
  if (type == "Sequence") {
    std::vector<TextMap> steps;
    for (const Json &item : sequenceItems(component, "decoders"))
      steps.push_back(readDecoder(item));
    return [=](std::string token) {
      for (const TextMap &step : steps)
        token = step(std::move(token));
      return token;
    };
  }
  throw LoadError("unsupported decoder '" + type +
                  "': expected ByteFallback, ByteLevel, Fuse, Metaspace, "
                  "Replace, Sequence or Strip");
}
