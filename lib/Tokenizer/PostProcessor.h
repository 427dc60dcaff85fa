// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_LIB_TOKENIZER_POSTPROCESSOR_H
#define PMPD_LIB_TOKENIZER_POSTPROCESSOR_H

#include "lib/Tokenizer/Component.h"
#include <cstdint>

namespace pmpd::tokenizer {

/// Ids put around a single sequence.
struct Frame {
  std::vector<int32_t> before;
  std::vector<int32_t> after;
};

/// Reads "post_processor": null, ByteLevel, TemplateProcessing or Sequence.
/// Throws LoadError.
Frame readPostProcessor(const Json &component);

} // namespace pmpd::tokenizer

#endif // PMPD_LIB_TOKENIZER_POSTPROCESSOR_H
