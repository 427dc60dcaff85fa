// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_LIB_TOKENIZER_BPE_H
#define PMPD_LIB_TOKENIZER_BPE_H

#include "lib/Tokenizer/Component.h"
#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_map>

namespace pmpd::tokenizer {

/// Byte pair encoding of one piece of text.
class BPE {
public:
  /// Reads "model". Throws LoadError and Json::exception.
  explicit BPE(const Json &model);

  /// Appends the ids of a piece: its characters, then always the adjacent pair
  /// of lowest rank merged (the leftmost of equals), until none is left. Takes
  /// O(n log n) for n bytes.
  void encode(std::string_view piece, std::vector<int32_t> &ids) const;

  const std::unordered_map<std::string, int32_t> &vocabulary() const {
    return vocab;
  }

private:
  struct Merge {
    int32_t rank;
    int32_t id;
  };
  void readMerges(const Json &merges);
  void addMerge(const std::string &left, const std::string &right);
  std::optional<int32_t> find(std::string_view token) const;
  const Merge *findMerge(int32_t left, int32_t right) const;
  std::vector<int32_t> characters(std::string_view piece) const;
  bool appendBytes(std::string_view character, std::vector<int32_t> &ids) const;

  std::unordered_map<std::string, int32_t> vocab;
  std::unordered_map<uint64_t, Merge> merges;  // (left id, right id)
  std::vector<std::optional<int32_t>> byteIds; // [256] with byte fallback
  std::optional<int32_t> unknown;
  bool fuseUnknown;
  bool ignoreMerges; // A piece that is a token needs no merging.
};

} // namespace pmpd::tokenizer

#endif // PMPD_LIB_TOKENIZER_BPE_H
