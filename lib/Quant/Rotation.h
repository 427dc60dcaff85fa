// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_LIB_QUANT_ROTATION_H
#define PMPD_LIB_QUANT_ROTATION_H

#include "lib/Quant/Quantizer.h"

namespace pmpd {

/// A random Hadamard rotation R of `cols` columns: each block of a power of
/// two of them, the largest that divides `cols`, gets signs from a fixed seed
/// and then the normalized Hadamard transform. Spreads outliers over a block
/// (QuIP#, arXiv 2402.04396). R depends on `cols` alone.
class Rotation {
public:
  explicit Rotation(int64_t cols);

  /// Every row x of rows [count, cols] becomes x R, or x R^T.
  void apply(float *rows, int64_t count) const;
  void undo(float *rows, int64_t count) const;

  /// The statistics of inputs x R for those of x: P becomes R^T P R.
  InputStatistics apply(InputStatistics statistics) const;

private:
  void transform(float *block) const;
  void conjugate(std::vector<float> &products) const;

  int64_t cols, block;
  std::vector<float> signs; // [cols], 1 or -1, times 1 / sqrt(block)
};

} // namespace pmpd

#endif // PMPD_LIB_QUANT_ROTATION_H
