// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_LIB_QUANT_INPUTPRODUCTS_H
#define PMPD_LIB_QUANT_INPUTPRODUCTS_H

#include "lib/Quant/Quantizer.h"

namespace pmpd {

/// H = X^T X / tokens of the inputs X of a linear layer, so that an error e of
/// one row of its weight costs e H e^T, in the forms that rounding needs.
struct InputProducts {
  /// The diagonal of H gets a hundredth of its mean added; statistics without
  /// products make a diagonal H, no statistics the identity.
  /// order: see below; without `largestFirst` it is the columns' own.
  InputProducts(int64_t cols, const InputStatistics &statistics,
                bool largestFirst);

  int64_t cols;
  std::vector<float> matrix; // [cols, cols]

  /// Columns, those with the largest inputs first: they are rounded while most
  /// others can still make up for their errors.
  std::vector<int64_t> order; // [cols]

  /// H in that order is M D M^T, with M unit upper triangular and D diagonal,
  /// so e H e^T = sum_j D_j (e_j + sum_{k<j} e_k M[k, j])^2. This is -M^T below
  /// the diagonal: what the target of a column takes from the errors before.
  std::vector<float> feedback; // [cols, cols]
};

} // namespace pmpd

#endif // PMPD_LIB_QUANT_INPUTPRODUCTS_H
