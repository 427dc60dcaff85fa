// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Quant/InputProducts.h"

#include <Eigen/Cholesky>
#include <Eigen/Core>

#include <algorithm>
#include <numeric>

using namespace pmpd;

// Of the mean diagonal. Keeps H definite, and rounding from trusting what a
// short text shows.
static constexpr double Damping = 0.01;

InputProducts::InputProducts(int64_t cols, const InputStatistics &statistics,
                             bool largestFirst)
    : cols(cols), matrix(cols * cols), order(cols), feedback(cols * cols) {
  if (!statistics.products.empty())
    matrix = statistics.products;
  else
    for (int64_t i = 0; i < cols; ++i)
      matrix[i * cols + i] =
          statistics.meanSquare.empty() ? 1 : statistics.meanSquare[i];
  double trace = 0;
  for (int64_t i = 0; i < cols; ++i)
    trace += matrix[i * cols + i];
  // Inputs that were always zero leave nothing to prefer.
  float added = trace > 0 ? static_cast<float>(Damping * trace / cols) : 1;
  for (int64_t i = 0; i < cols; ++i)
    matrix[i * cols + i] += added;

  std::iota(order.begin(), order.end(), 0);
  if (largestFirst)
    std::sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
      return std::pair(-matrix[a * cols + a], a) <
             std::pair(-matrix[b * cols + b], b);
    });

  // M D^(1/2) is the Cholesky factor of H turned around, turned back.
  Eigen::MatrixXf turned(cols, cols);
  for (int64_t j = 0; j < cols; ++j)
    for (int64_t i = 0; i < cols; ++i)
      turned(i, j) = matrix[order[cols - 1 - i] * cols + order[cols - 1 - j]];
  Eigen::LLT<Eigen::Ref<Eigen::MatrixXf>> factor(turned);
  for (int64_t k = 0; k < cols; ++k)
    for (int64_t j = 0; j < k; ++j) {
      // Row j of M^T's column: both indices turned.
      int64_t row = cols - 1 - j, col = cols - 1 - k;
      feedback[k * cols + j] = -turned(row, col) / turned(col, col);
    }
}
