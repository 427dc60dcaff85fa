// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_LIB_TOKENIZER_DECODER_H
#define PMPD_LIB_TOKENIZER_DECODER_H

#include "lib/Tokenizer/Component.h"

namespace pmpd::tokenizer {

/// Reads "decoder": null, Sequence, ByteLevel, ByteFallback, Fuse, Metaspace,
/// Replace or Strip. The result maps the text of one token to bytes, so what
/// only concerns the ends of a whole text (Strip) does nothing. Throws
/// LoadError.
TextMap readDecoder(const Json &component);

} // namespace pmpd::tokenizer

#endif // PMPD_LIB_TOKENIZER_DECODER_H
