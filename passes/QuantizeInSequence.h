// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PASSES_QUANTIZEINSEQUENCE_H
#define PASSES_QUANTIZEINSEQUENCE_H

#include "lib/Quant/Quantizer.h"
#include "lib/Reference/Interpreter.h"

#include "llvm/ADT/MapVector.h"

#include <set>

namespace pmpd {

/// Weights with the bits that they are to be read at.
using WeightBits = llvm::MapVector<WeightOp, std::set<int32_t>>;

/// Runs `prefill` on a text unquantized and beside it at every precision, and
/// quantizes each weight where its first layer comes: so the inputs are known
/// that the layer has behind quantized ones, and it can make up for their
/// errors. A weight that lacks a precision is read at its highest there.
///
/// quantize: quantizes one weight with these statistics.
mlir::LogicalResult quantizeInSequence(
    PrefillOp prefill, const std::vector<Sequence> &text,
    const WeightBits &weights,
    llvm::function_ref<mlir::FailureOr<NestedTensor>(WeightOp,
                                                     const InputStatistics &)>
        quantize);

} // namespace pmpd

#endif // PASSES_QUANTIZEINSEQUENCE_H
