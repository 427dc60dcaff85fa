// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_LIB_TOKENIZER_PRETOKENIZER_H
#define PMPD_LIB_TOKENIZER_PRETOKENIZER_H

#include "lib/Tokenizer/Component.h"

namespace pmpd::tokenizer {

/// A part of the text that no token crosses.
struct Piece {
  std::string text;
  bool first; /// Starts where the whole text starts.
};

/// Splits pieces further and rewrites them; leaves no empty ones.
using PreTokenizer = std::function<std::vector<Piece>(std::vector<Piece>)>;

/// Reads "pre_tokenizer": null, Sequence, ByteLevel, Split, Metaspace or
/// Digits. Throws LoadError.
PreTokenizer readPreTokenizer(const Json &component);

} // namespace pmpd::tokenizer

#endif // PMPD_LIB_TOKENIZER_PRETOKENIZER_H
