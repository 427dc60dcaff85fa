// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PASSES_QUANTIZEDSTORE_H
#define PASSES_QUANTIZEDSTORE_H

#include "dialects/PMPD/PMPD.h"
#include "lib/Pack/WeightFile.h"
#include "lib/Quant/Quantizer.h"

namespace pmpd {

/// Quantizes weights one at a time into a file. The IR keeps the weights as
/// they are until commit().
class QuantizedStore {
public:
  struct Options {
    std::string path;
    const QuantizerInfo *quantizer;
    int64_t group;    /// Ignored for codebooks.
    int32_t simulate; /// Bits whose values are stored, or 0 for codes.
    unsigned threads; /// 0 for all.
  };

  /// Emits an error on the model if the file cannot be created.
  static mlir::FailureOr<QuantizedStore> create(ModelOp model, Options options);

  /// Quantizes a weight to be read at the bits of `prefixes`, ascending, and
  /// stores it. Emits an error on the weight if it cannot be.
  mlir::FailureOr<NestedTensor> add(WeightOp weight, std::vector<int> prefixes,
                                    const InputStatistics &inputs);

  /// Makes the file visible and lets the weights that were added point to it.
  mlir::LogicalResult commit();

private:
  QuantizedStore(ModelOp model, Options options,
                 std::unique_ptr<WeightFileWriter> writer)
      : model(model), options(std::move(options)), writer(std::move(writer)) {}
  mlir::LogicalResult store(WeightOp weight, const NestedTensor &codes);

  struct Stored {
    WeightOp weight;
    mlir::Type type; // Of the weight.
    SourceAttr source;
  };
  ModelOp model;
  Options options;
  std::unique_ptr<WeightFileWriter> writer;
  std::vector<Stored> stored;
};

} // namespace pmpd

#endif // PASSES_QUANTIZEDSTORE_H
