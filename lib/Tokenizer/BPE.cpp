// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Tokenizer/BPE.h"
#include "lib/Tokenizer/Utf8.h"

#include <cstdio>
#include <queue>
#include <tuple>

using namespace pmpd::tokenizer;

BPE::BPE(const Json &model) {
  auto type = valueOr<std::string>(model, "type", "BPE");
  if (type != "BPE")
    throw LoadError("unsupported model '" + type + "': expected BPE");
  for (const char *affix : {"continuing_subword_prefix", "end_of_word_suffix"})
    if (!valueOr<std::string>(model, affix, "").empty())
      throw LoadError(std::string("unsupported ") + affix +
                      " of the model: expected none");
  if (valueOr(model, "dropout", 0.0) != 0.0)
    throw LoadError("unsupported dropout of the model: expected none");
  for (const auto &[token, id] : model.at("vocab").items())
    vocab[token] = readId(id);
  readMerges(model.at("merges"));

  if (valueOr(model, "byte_fallback", false)) {
    byteIds.resize(256);
    for (unsigned byte = 0; byte < 256; ++byte) {
      char name[8];
      std::snprintf(name, sizeof(name), "<0x%02X>", byte);
      byteIds[byte] = find(name);
    }
  }
  if (auto name = valueOr<std::string>(model, "unk_token", ""); !name.empty())
    unknown = find(name);
  fuseUnknown = valueOr(model, "fuse_unk", false);
  ignoreMerges = valueOr(model, "ignore_merges", false);
}

void BPE::readMerges(const Json &entries) {
  for (const Json &entry : entries) {
    if (entry.is_array() && entry.size() == 2) {
      addMerge(entry[0].get<std::string>(), entry[1].get<std::string>());
      continue;
    }
    auto text = entry.get<std::string>();
    size_t space = text.find(' ');
    if (space == std::string::npos)
      throw LoadError("expected two tokens in merge '" + text + "'");
    addMerge(text.substr(0, space), text.substr(space + 1));
  }
}

void BPE::addMerge(const std::string &left, const std::string &right) {
  auto require = [&](const std::string &token) {
    if (auto id = find(token))
      return *id;
    throw LoadError("merge '" + left + " " + right + "' needs token '" + token +
                    "', which is not in the vocabulary");
  };
  uint64_t key = static_cast<uint64_t>(require(left)) << 32 | require(right);
  merges[key] = {static_cast<int32_t>(merges.size()), require(left + right)};
}

std::optional<int32_t> BPE::find(std::string_view token) const {
  auto it = vocab.find(std::string(token));
  return it == vocab.end() ? std::nullopt : std::optional(it->second);
}

const BPE::Merge *BPE::findMerge(int32_t left, int32_t right) const {
  auto it = merges.find(static_cast<uint64_t>(left) << 32 | right);
  return it == merges.end() ? nullptr : &it->second;
}

bool BPE::appendBytes(std::string_view character,
                      std::vector<int32_t> &ids) const {
  if (byteIds.empty())
    return false;
  for (char byte : character)
    if (!byteIds[static_cast<uint8_t>(byte)])
      return false;
  for (char byte : character)
    ids.push_back(*byteIds[static_cast<uint8_t>(byte)]);
  return true;
}

std::vector<int32_t> BPE::characters(std::string_view piece) const {
  std::vector<int32_t> ids;
  bool afterUnknown = false;
  for (size_t pos = 0; pos < piece.size();) {
    size_t length = std::max<size_t>(utf8Length(piece, pos), 1);
    std::string_view character = piece.substr(pos, length);
    pos += length;
    bool isUnknown = false;
    if (auto id = find(character)) {
      ids.push_back(*id);
    } else if (!appendBytes(character, ids) && unknown) {
      isUnknown = true;
      if (!afterUnknown || !fuseUnknown)
        ids.push_back(*unknown);
    }
    afterUnknown = isUnknown;
  }
  return ids;
}

void BPE::encode(std::string_view piece, std::vector<int32_t> &ids) const {
  if (ignoreMerges)
    if (auto id = find(piece)) {
      ids.push_back(*id);
      return;
    }

  // Symbols form a list; a merge keeps the left one and unlinks the right one.
  struct Symbol {
    int32_t id;
    int32_t previous;
    int32_t next;
  };
  const int32_t none = -1;
  std::vector<Symbol> symbols;
  for (int32_t id : characters(piece)) {
    int32_t index = static_cast<int32_t>(symbols.size());
    symbols.push_back({id, index - 1, index + 1});
  }
  if (symbols.empty())
    return;
  symbols.back().next = none;

  // (rank, position of the left symbol, ids that were to be merged)
  using Candidate = std::tuple<int32_t, int32_t, int32_t, int32_t>;
  std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> queue;
  auto consider = [&](int32_t left) {
    if (left == none || symbols[left].next == none)
      return;
    int32_t rightId = symbols[symbols[left].next].id;
    if (const Merge *merge = findMerge(symbols[left].id, rightId))
      queue.push({merge->rank, left, symbols[left].id, rightId});
  };
  for (size_t i = 0; i < symbols.size(); ++i)
    consider(static_cast<int32_t>(i));

  while (!queue.empty()) {
    auto [rank, left, leftId, rightId] = queue.top();
    queue.pop();
    int32_t right = symbols[left].next;
    // A merged-away symbol has id none, so outdated candidates fail here.
    if (symbols[left].id != leftId || right == none ||
        symbols[right].id != rightId)
      continue;
    symbols[left].id = findMerge(leftId, rightId)->id;
    symbols[left].next = symbols[right].next;
    if (symbols[left].next != none)
      symbols[symbols[left].next].previous = left;
    symbols[right].id = none;
    consider(symbols[left].previous);
    consider(left);
  }
  for (int32_t i = 0; i != none; i = symbols[i].next)
    ids.push_back(symbols[i].id);
}
