// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_LIB_REFERENCE_INTERPRETER_H
#define PMPD_LIB_REFERENCE_INTERPRETER_H

#include "lib/Quant/NestedTensor.h"
#include "lib/Reference/Kernels.h"

#include <functional>
#include <optional>

namespace pmpd {

/// A token sequence: what is in its KV cache, and what to run next.
struct Sequence {
  /// Both [position, kv_heads * head_dim].
  struct Layer {
    RowMatrix keys, values;
  };

  std::vector<int32_t> tokens; // Of the next run.
  int64_t position = 0;        // Tokens of the runs before.
  int32_t bits = 0;            // See InterpreterOptions::codes.
  std::vector<Layer> layers;
};

struct InterpreterOptions {
  /// Bits of a linear layer on a nested weight that says neither its bits nor
  /// a pin.
  int32_t bits = 0;

  /// Rows that `pmpd.select_last` keeps of every sequence; all by default.
  std::optional<int64_t> logitRows;

  /// Without it, the multiplication that yields the logits is left out.
  bool computeLogits = true;

  /// Sees the input of every linear layer, [rows of all sequences, cols].
  std::function<mlir::LogicalResult(LinearOp, const RowMatrix &)> observer;

  /// Asked after the observer for codes of the layer's weight, or null.
  /// Sequences with `bits` read them in place of the weight, at these bits or
  /// where the codes lack them at all.
  std::function<const NestedTensor *(LinearOp)> codes;
};

/// Runs the ops of `phase`, a `pmpd.body`, `pmpd.prefill`, `pmpd.decode` or
/// unlowered `pmpd.region`, one after the other, each on the tokens of all
/// sequences; weights are read from their sources, one in memory at a time.
/// The sequences' caches then hold their tokens.
///
/// Returns the logits, [rows of all sequences, vocab], empty without
/// `computeLogits`. Emits an error if tokens are not of the vocabulary or
/// exceed the context, a weight cannot be read, or the observer fails.
mlir::FailureOr<RowMatrix> interpret(mlir::Operation *phase,
                                     llvm::MutableArrayRef<Sequence> sequences,
                                     const InterpreterOptions &options = {});

} // namespace pmpd

#endif // PMPD_LIB_REFERENCE_INTERPRETER_H
