// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PASSES_INPUTSTATISTICS_H
#define PASSES_INPUTSTATISTICS_H

#include "dialects/PMPD/PMPD.h"
#include "lib/Quant/Quantizer.h"
#include "lib/Reference/Kernels.h"

#include "llvm/ADT/MapVector.h"

#include <string>

namespace pmpd {

/// The inputs of the linear layers of `prefill`, in order, with the names that
/// they have in a file of statistics: that of the first weight that reads the
/// input, numbered where it reads several. Layers that share an input share its
/// statistics.
///
/// The file is a weight file with one f32 section per input: [1, cols] mean
/// squares, or [cols, cols] mean products of every two inputs.
llvm::MapVector<mlir::Value, std::string> nameInputs(PrefillOp prefill);

/// Inputs of a linear layer, [tokens, cols].
using Inputs = Eigen::Ref<const RowMatrix>;

/// Mean squares, and if asked for mean products, of the inputs of `layer`.
/// Emits an error on the layer if they are not finite.
mlir::FailureOr<InputStatistics> measureInputs(LinearOp layer, Inputs inputs,
                                               bool withProducts);

/// The same tokens' inputs behind unquantized layers and behind quantized ones.
mlir::FailureOr<InputStatistics::Quantized>
measureQuantized(LinearOp layer, Inputs inputs, Inputs quantized);

} // namespace pmpd

#endif // PASSES_INPUTSTATISTICS_H
