// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the readers of tokenizer.json share: each turns one JSON component into
// a function. They report by exceptions, which Tokenizer::load catches.
#ifndef PMPD_LIB_TOKENIZER_COMPONENT_H
#define PMPD_LIB_TOKENIZER_COMPONENT_H

#include "nlohmann/json.hpp"
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

namespace pmpd::tokenizer {

using Json = nlohmann::json;

/// A file that cannot be used; what() is the text for the user.
struct LoadError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Text -> text: a normalizer, or a decoder of one token.
using TextMap = std::function<std::string(std::string)>;

/// The member `key` of an object, or `fallback` where it is absent or null.
/// Throws Json::exception if it has another type.
template <typename T>
T valueOr(const Json &object, const char *key, T fallback) {
  auto it = object.find(key);
  return it == object.end() || it->is_null() ? fallback : it->get<T>();
}

/// A token id. Far more than any vocabulary has is refused, which bounds the
/// memory that a corrupt file can ask for.
inline int32_t readId(const Json &value) {
  constexpr int64_t limit = 1 << 22;
  if (!value.is_number_integer() || value < 0 || value >= limit)
    throw LoadError("expected a token id below " + std::to_string(limit) +
                    ", but got " + value.dump());
  return value.get<int32_t>();
}

/// The members of a Sequence component, which may be named `key`.
inline const Json &sequenceItems(const Json &component, const char *key) {
  const Json &items = component.at(key);
  if (!items.is_array())
    throw LoadError(std::string("expected an array at '") + key +
                    "' of a Sequence, but got " + items.type_name());
  return items;
}

/// Replaces every `from` (not empty) in `text` by `to`.
inline std::string replaceAll(std::string text, const std::string &from,
                              const std::string &to) {
  std::string result;
  size_t begin = 0;
  for (size_t at; (at = text.find(from, begin)) != std::string::npos;
       begin = at + from.size())
    result.append(text, begin, at - begin).append(to);
  return result.append(text, begin);
}

} // namespace pmpd::tokenizer

#endif // PMPD_LIB_TOKENIZER_COMPONENT_H
