// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PASSES_CALIBRATIONTEXT_H
#define PASSES_CALIBRATIONTEXT_H

#include "dialects/PMPD/PMPD.h"
#include "lib/Reference/Interpreter.h"

namespace pmpd {

/// Encodes the beginning of a text, at most `tokens` tokens, and cuts it into
/// sequences as long as the context. Emits an error on the model if a file
/// cannot be read or there are fewer than 2 tokens.
mlir::FailureOr<std::vector<Sequence>>
readCalibrationText(ModelOp model, llvm::StringRef text,
                    llvm::StringRef tokenizer, int64_t tokens);

/// The phase that calibration runs. Emits an error if there is none.
mlir::FailureOr<PrefillOp> getCalibrationPhase(ModelOp model);

} // namespace pmpd

#endif // PASSES_CALIBRATIONTEXT_H
