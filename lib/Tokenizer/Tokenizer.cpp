// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Tokenizer/Tokenizer.h"
#include "lib/Tokenizer/AddedTokens.h"
#include "lib/Tokenizer/BPE.h"
#include "lib/Tokenizer/Decoder.h"
#include "lib/Tokenizer/Normalizer.h"
#include "lib/Tokenizer/PostProcessor.h"
#include "lib/Tokenizer/PreTokenizer.h"

#include <cerrno>
#include <cstring>
#include <fstream>

using namespace pmpd;
using namespace pmpd::tokenizer;

struct Tokenizer::Impl {
  explicit Impl(const Json &file);
  void setBytes(int32_t id, std::string bytes);
  void encodeNormalized(std::string_view text, bool first,
                        std::vector<int32_t> &ids) const;

  TextMap normalize;
  PreTokenizer preTokenize;
  BPE model;
  Frame frame;
  AddedTokens rawTokens;
  AddedTokens normalizedTokens;
  std::unordered_map<std::string, int32_t> specialIds;
  std::vector<std::string> bytesOf; // by id
};

Tokenizer::Impl::Impl(const Json &file)
    : normalize(readNormalizer(valueOr(file, "normalizer", Json()))),
      preTokenize(readPreTokenizer(valueOr(file, "pre_tokenizer", Json()))),
      model(file.at("model")),
      frame(readPostProcessor(valueOr(file, "post_processor", Json()))) {
  TextMap decode = readDecoder(valueOr(file, "decoder", Json()));
  for (const auto &[token, id] : model.vocabulary())
    setBytes(id, decode(token));
  for (const Json &entry : valueOr(file, "added_tokens", Json::array())) {
    AddedToken token = readAddedToken(entry);
    setBytes(token.id, token.special ? "" : token.content);
    if (token.special)
      specialIds[token.content] = token.id;
    if (token.normalized)
      token.content = normalize(token.content);
    (token.normalized ? normalizedTokens : rawTokens).add(std::move(token));
  }
}

void Tokenizer::Impl::setBytes(int32_t id, std::string bytes) {
  if (bytesOf.size() <= static_cast<size_t>(id))
    bytesOf.resize(id + 1);
  bytesOf[id] = std::move(bytes);
}

void Tokenizer::Impl::encodeNormalized(std::string_view text, bool first,
                                       std::vector<int32_t> &ids) const {
  normalizedTokens.split(
      text,
      [&](std::string_view part, size_t offset) {
        std::vector<Piece> pieces;
        pieces.push_back({std::string(part), first && offset == 0});
        for (const Piece &piece : preTokenize(std::move(pieces)))
          model.encode(piece.text, ids);
      },
      [&](int32_t id) { ids.push_back(id); });
}

Tokenizer::Tokenizer(std::unique_ptr<Impl> impl) : impl(std::move(impl)) {}
Tokenizer::~Tokenizer() = default;

std::unique_ptr<Tokenizer> Tokenizer::load(const std::string &path,
                                           std::string &error) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) {
    error = path + ": cannot be read: " + std::strerror(errno);
    return nullptr;
  }
  try {
    Json file = Json::parse(stream);
    return std::unique_ptr<Tokenizer>(
        new Tokenizer(std::make_unique<Impl>(file)));
  } catch (const LoadError &failure) {
    error = path + ": " + failure.what();
  } catch (const std::exception &failure) {
    error =
        path + ": expected a Hugging Face tokenizer.json: " + failure.what();
  }
  return nullptr;
}

std::vector<int32_t> Tokenizer::encode(std::string_view text,
                                       bool addSpecial) const {
  std::vector<int32_t> ids;
  if (addSpecial)
    ids = impl->frame.before;
  impl->rawTokens.split(
      text,
      [&](std::string_view part, size_t offset) {
        impl->encodeNormalized(impl->normalize(std::string(part)), offset == 0,
                               ids);
      },
      [&](int32_t id) { ids.push_back(id); });
  if (addSpecial)
    ids.insert(ids.end(), impl->frame.after.begin(), impl->frame.after.end());
  return ids;
}

std::string Tokenizer::decode(int32_t id) const {
  return id >= 0 && id < vocabSize() ? impl->bytesOf[id] : std::string();
}

std::optional<int32_t> Tokenizer::specialId(std::string_view token) const {
  auto it = impl->specialIds.find(std::string(token));
  return it == impl->specialIds.end() ? std::nullopt
                                      : std::optional(it->second);
}

int32_t Tokenizer::vocabSize() const {
  return static_cast<int32_t>(impl->bytesOf.size());
}
