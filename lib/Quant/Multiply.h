// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_LIB_QUANT_MULTIPLY_H
#define PMPD_LIB_QUANT_MULTIPLY_H

#include <cstdint>

namespace pmpd {

/// A matrix in memory: element (i, k) is data[i * rowStride + k * colStride].
struct MatrixView {
  const float *data;
  int64_t rowStride;
  int64_t colStride;

  MatrixView transposed() const { return {data, colStride, rowStride}; }
  MatrixView from(int64_t row, int64_t col) const {
    return {data + row * rowStride + col * colStride, rowStride, colStride};
  }
};

/// out = a * b with a [rows, depth], b [depth, cols] and the rows of out
/// `stride` apart. Sums run over the depth in order and products are rounded:
/// the result is the same on every CPU.
void multiply(MatrixView a, MatrixView b, int64_t rows, int64_t depth,
              int64_t cols, float *out, int64_t stride);

} // namespace pmpd

#endif // PMPD_LIB_QUANT_MULTIPLY_H
