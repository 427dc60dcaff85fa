// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The arithmetic of the decoder ops, written for reading: sums of a row are in
// double, and nothing is fused. The ops' descriptions are the specification.
#ifndef PMPD_LIB_REFERENCE_KERNELS_H
#define PMPD_LIB_REFERENCE_KERNELS_H

#include "dialects/PMPD/PMPD.h"

#include <Eigen/Core>

#include <vector>

namespace pmpd {

/// [tokens, features]
using RowMatrix =
    Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// weight [d]: normalizes every d adjacent columns of a row; d divides cols.
RowMatrix rmsNorm(const RowMatrix &input, const std::vector<float> &weight,
                  double eps);

/// weight and bias [cols].
RowMatrix layerNorm(const RowMatrix &input, const std::vector<float> &weight,
                    const std::vector<float> &bias, double eps);

RowMatrix activate(const RowMatrix &input, ActivationKind kind);

/// Rotates rows whose first is at `position`; table [context, 2 * n].
RowMatrix rotate(const RowMatrix &input, const std::vector<float> &table,
                 int64_t n, RopeStyle style, int64_t heads, int64_t position);

/// One head: query [t, d], the first at `position`; keys and values [j, d]
/// with j >= position + t. `window` is 0 if there is none.
RowMatrix attend(const RowMatrix &query, const RowMatrix &keys,
                 const RowMatrix &values, double scale, int64_t position,
                 int64_t window);

/// What quantized rows stand for: scale[t, g] * q[t, k].
RowMatrix quantizeRows(const RowMatrix &input, unsigned bits, int64_t group);

/// Rounds to half precision and back.
RowMatrix roundToHalf(const RowMatrix &input);

} // namespace pmpd

#endif // PMPD_LIB_REFERENCE_KERNELS_H
