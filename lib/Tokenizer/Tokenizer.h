// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_LIB_TOKENIZER_TOKENIZER_H
#define PMPD_LIB_TOKENIZER_TOKENIZER_H

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pmpd {

/// Text <-> token ids as a Hugging Face tokenizer.json of model type BPE
/// describes: byte-level (GPT-2, Llama 3, Qwen, Phi) and SentencePiece style
/// with byte fallback (Llama 2, Mistral). Immutable: any number of threads may
/// use one.
class Tokenizer {
public:
  /// Reads the tokenizer.json at `path`. Returns null and sets `error` if it
  /// cannot be read, is malformed, or uses a component that is not supported
  /// (the text names it). Throws nothing.
  static std::unique_ptr<Tokenizer> load(const std::string &path,
                                         std::string &error);
  ~Tokenizer();

  /// Ids of `text`, which is UTF-8; invalid bytes are encoded as themselves
  /// where the vocabulary has bytes. With `addSpecial`, also the ids that the
  /// file's post-processor puts before and after one sequence, such as <s>.
  std::vector<int32_t> encode(std::string_view text,
                              bool addSpecial = false) const;

  /// Raw bytes of one token, possibly a part of a UTF-8 character; empty for
  /// special tokens and for ids outside the vocabulary. A SentencePiece-style
  /// token keeps its leading space, also at the start of a text.
  std::string decode(int32_t id) const;

  /// Id of a token that the file marks as special, such as "<|endoftext|>".
  std::optional<int32_t> specialId(std::string_view token) const;

  /// One more than the largest id.
  int32_t vocabSize() const;

private:
  struct Impl;
  explicit Tokenizer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl;
};

} // namespace pmpd

#endif // PMPD_LIB_TOKENIZER_TOKENIZER_H
