// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_LIB_TOKENIZER_NORMALIZER_H
#define PMPD_LIB_TOKENIZER_NORMALIZER_H

#include "lib/Tokenizer/Component.h"

namespace pmpd::tokenizer {

/// Reads "normalizer": null, Sequence, Prepend or Replace. Throws LoadError.
TextMap readNormalizer(const Json &component);

} // namespace pmpd::tokenizer

#endif // PMPD_LIB_TOKENIZER_NORMALIZER_H
