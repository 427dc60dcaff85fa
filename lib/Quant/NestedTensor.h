// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_LIB_QUANT_NESTEDTENSOR_H
#define PMPD_LIB_QUANT_NESTEDTENSOR_H

#include <cstdint>
#include <string>
#include <vector>

namespace pmpd {

/// Shape of a weight that is readable at several precisions. Affine values are
/// defined in pmpd/layout.h; a codebook gives every row a table of its own for
/// each precision: value = table[code >> (bits - prefix)].
struct NestedShape {
  int64_t rows = 0;
  int64_t cols = 0;
  int64_t group = 0; /// Columns that share a (scale, min); divides cols. 0 is
                     /// a codebook, which no layout of files holds.
  int bits = 0;      /// Of a code: PMPD_MIN_BITS to PMPD_MAX_BITS.
  std::vector<int> prefixes; /// Readable bits, ascending; the last is `bits`.
  bool rotated = false; /// Codes of the weight times a Rotation (Rotation.h),
                        /// which no layout of files holds.

  bool isCodebook() const { return group == 0; }
  int64_t groups() const { return cols / group; } /// Of an affine weight.

  /// Index of `bits` in prefixes, or -1.
  int prefixIndex(int prefix) const;

  /// What is wrong with the shape, or an empty text.
  std::string problem() const;

  /// What is wrong with rows and cols alone, or an empty text.
  std::string extentProblem() const;
};

/// What codes stand for at one precision, as halves: (scale, min) of every row
/// and group, or the values of every row.
struct NestedParams {
  std::vector<uint16_t> scale; // [rows, cols / group]
  std::vector<uint16_t> min;   // [rows, cols / group]
  std::vector<uint16_t> table; // [rows, 2^prefix]
};

/// A nested weight, or some rows of one, before it is packed.
struct NestedTensor {
  NestedShape shape;
  std::vector<uint8_t> codes;       // [rows, cols], of shape.bits bits
  std::vector<NestedParams> params; // one per shape.prefixes

  NestedTensor() = default;

  /// All zero. The shape must have no problem().
  explicit NestedTensor(NestedShape shape);
};

/// The values at shape.prefixes[prefix] as floats, [rows, cols], of the weight
/// itself where its codes are rotated.
std::vector<float> dequantize(const NestedTensor &tensor, int prefix);

} // namespace pmpd

#endif // PMPD_LIB_QUANT_NESTEDTENSOR_H
