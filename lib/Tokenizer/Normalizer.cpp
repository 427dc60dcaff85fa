// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Tokenizer/Normalizer.h"
#include "lib/Tokenizer/Regex.h"

using namespace pmpd::tokenizer;

static TextMap readReplace(const Json &component) {
  auto content = component.at("content").get<std::string>();
  Regex pattern = readPattern(component.at("pattern"));
  return [=](std::string text) {
    std::string result;
    size_t begin = 0;
    for (Span match : pattern.findAll(text)) {
      result.append(text, begin, match.begin - begin).append(content);
      begin = match.end;
    }
    return result.append(text, begin);
  };
}

static TextMap readSequence(const Json &component) {
  std::vector<TextMap> steps;
  for (const Json &item : sequenceItems(component, "normalizers"))
    steps.push_back(readNormalizer(item));
  return [=](std::string text) {
    for (const TextMap &step : steps)
      text = step(std::move(text));
    return text;
  };
}

TextMap pmpd::tokenizer::readNormalizer(const Json &component) {
  if (component.is_null())
    return [](std::string text) { return text; };
  auto type = component.at("type").get<std::string>();
  if (type == "Sequence")
    return readSequence(component);
  if (type == "Replace")
    return readReplace(component);
  if (type == "Prepend") {
    auto prefix = component.at("prepend").get<std::string>();
    return
        [=](std::string text) { return text.empty() ? text : prefix + text; };
  }
  throw LoadError("unsupported normalizer '" + type +
                  "': expected Prepend, Replace or Sequence");
}
