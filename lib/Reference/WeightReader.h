// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_LIB_REFERENCE_WEIGHTREADER_H
#define PMPD_LIB_REFERENCE_WEIGHTREADER_H

#include "dialects/PMPD/PMPD.h"
#include "lib/Quant/NestedTensor.h"

#include "llvm/Support/MemoryBuffer.h"

#include <memory>
#include <vector>

namespace pmpd {

/// Begins an error on `weight` with its name.
mlir::InFlightDiagnostic emitWeightError(WeightOp weight);

/// The shape of a nested type in the terms of lib/Quant, which knows only
/// affine weights.
NestedShape getNestedShape(NestedType type);

/// The values of a weight, read from its source a block of rows at a time.
/// Reading changes nothing: any number of threads may share a reader.
class WeightReader {
public:
  /// Maps the bytes that the source of `weight` names. Emits an error on
  /// `weight` if it has no source, the file cannot be read or is too short,
  /// or the elements are of a type that cannot be converted.
  static mlir::FailureOr<WeightReader> open(WeightOp weight);

  int64_t getRows() const { return rows; }
  int64_t getCols() const { return cols; }

  /// Rows begin .. end-1 of a dense weight, [end - begin, cols].
  std::vector<float> read(int64_t begin, int64_t end) const;

  /// All of a nested weight, as pmpd-quantize stored it.
  NestedTensor readNested() const;

private:
  using Bytes = std::unique_ptr<llvm::MemoryBuffer>;
  WeightReader(WeightOp weight, SourceAttr source, Bytes bytes);

  static mlir::FailureOr<Bytes> map(WeightOp weight, llvm::StringRef file,
                                    int64_t offset, uint64_t size);
  template <typename Element>
  void convert(int64_t begin, int64_t end, float *out) const;
  template <typename Element>
  void convertBlocks(int64_t begin, int64_t end, float *out) const;

  int64_t rows, cols;
  int64_t rowStride, colStride; // In elements, of the weight's rows and cols.
  int64_t firstElement;
  mlir::Type element;
  NestedType nested; // Null for a dense weight.
  BlocksAttr blocks; // Null if elements are stored as they are.
  Bytes bytes;
  Bytes scales, zeros; // Of blocks; zeros may be null.
};

} // namespace pmpd

#endif // PMPD_LIB_REFERENCE_WEIGHTREADER_H
