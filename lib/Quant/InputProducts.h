// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_LIB_QUANT_INPUTPRODUCTS_H
#define PMPD_LIB_QUANT_INPUTPRODUCTS_H

#include "lib/Quant/Quantizer.h"

namespace pmpd {

/// H = X^T X / tokens of the inputs X of a linear layer, so that an error e of
/// one row of its weight costs e H e^T, in the forms that rounding needs.
struct InputProducts {
  int64_t cols;
  std::vector<float> matrix; // [cols, cols]

  /// H with columns in the order of rounding is M D M^T, with M unit upper
  /// triangular and D diagonal, so
  ///   e H e^T = sum_j D_j (e_j + sum_{k<j} e_k M[k, j])^2.
  /// This is -M^T below the diagonal: what the target of a column takes from
  /// the errors before.
  std::vector<float> feedback;  // [cols, cols]
  std::vector<float> curvature; // [cols], D

  /// What a row w of the weight should be to yield its outputs from quantized
  /// inputs is correction * w^T; empty: w.
  std::vector<float> correction; // [cols, cols]
};

/// InputProducts at every precision of a weight.
class PrefixProducts {
public:
  /// The diagonal of H gets a part of its mean added; statistics without
  /// products make a diagonal H, no statistics the identity.
  /// corrects: fill in corrections where the statistics allow it.
  /// largestFirst: see `order`; without it, it is the columns' own.
  PrefixProducts(const NestedShape &shape, const InputStatistics &statistics,
                 bool largestFirst, bool corrects);

  int64_t cols() const { return products.front().cols; }
  const InputProducts &operator[](int prefix) const {
    return products[products.size() == 1 ? 0 : prefix];
  }

  /// Columns, those with the largest inputs first: they are rounded while most
  /// others can still make up for their errors.
  std::vector<int64_t> order; // [cols]

private:
  std::vector<InputProducts> products; // One for all, or one for each prefix.
};

} // namespace pmpd

#endif // PMPD_LIB_QUANT_INPUTPRODUCTS_H
