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

static constexpr int MaxTries = 20;

using RowMatrix =
    Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// Fills in feedback and curvature. Returns false if H is not definite.
static bool factorize(InputProducts &products,
                      const std::vector<int64_t> &order) {
  // M D^(1/2) is the Cholesky factor of H turned around, turned back.
  int64_t cols = products.cols;
  products.feedback.resize(cols * cols);
  products.curvature.resize(cols);
  Eigen::MatrixXf turned(cols, cols);
  for (int64_t j = 0; j < cols; ++j)
    for (int64_t i = 0; i < cols; ++i)
      turned(i, j) =
          products.matrix[order[cols - 1 - i] * cols + order[cols - 1 - j]];
  Eigen::LLT<Eigen::Ref<Eigen::MatrixXf>> factor(turned);
  if (factor.info() != Eigen::Success)
    return false;
  for (int64_t k = 0; k < cols; ++k) {
    // Row j of M^T's column: both indices turned.
    int64_t col = cols - 1 - k;
    products.curvature[k] = turned(col, col) * turned(col, col);
    for (int64_t j = 0; j < k; ++j)
      products.feedback[k * cols + j] =
          -turned(cols - 1 - j, col) / turned(col, col);
  }
  return true;
}

/// The least-squares weights W' for outputs W x from inputs x': W' = W A with
/// A = E[x x'^T] E[x' x'^T]^-1, both damped alike so that none is W. Fills in
/// A^T.
static void correct(InputProducts &products, const std::vector<float> &cross,
                    float added) {
  int64_t cols = products.cols;
  products.correction.resize(cols * cols);
  Eigen::Map<const RowMatrix> matrix(products.matrix.data(), cols, cols);
  Eigen::Map<RowMatrix> correction(products.correction.data(), cols, cols);
  correction =
      Eigen::Map<const RowMatrix>(cross.data(), cols, cols).transpose();
  correction.diagonal().array() += added;
  Eigen::LLT<RowMatrix>(matrix).solveInPlace(correction);
}

PrefixProducts::PrefixProducts(const NestedShape &shape,
                               const InputStatistics &statistics,
                               bool largestFirst, bool corrects)
    : order(shape.cols),
      products(std::max<size_t>(statistics.quantized.size(), 1)) {
  int64_t cols = shape.cols;
  std::vector<double> sizes(cols);
  std::vector<float> added(products.size());
  for (size_t p = 0; p < products.size(); ++p) {
    std::vector<float> &matrix = products[p].matrix;
    products[p].cols = cols;
    if (!statistics.quantized.empty())
      matrix = statistics.quantized[p].products;
    else if (!statistics.products.empty())
      matrix = statistics.products;
    else {
      matrix.resize(cols * cols);
      for (int64_t i = 0; i < cols; ++i)
        matrix[i * cols + i] =
            statistics.meanSquare.empty() ? 1 : statistics.meanSquare[i];
    }
    double trace = 0;
    for (int64_t i = 0; i < cols; ++i)
      trace += matrix[i * cols + i];
    // Inputs that were always zero leave nothing to prefer.
    added[p] = trace > 0 ? static_cast<float>(Damping * trace / cols) : 1;
    for (int64_t i = 0; i < cols; ++i) {
      matrix[i * cols + i] += added[p];
      sizes[i] += matrix[i * cols + i];
    }
  }
  std::iota(order.begin(), order.end(), 0);
  if (largestFirst)
    std::sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
      return std::pair(-sizes[a], a) < std::pair(-sizes[b], b);
    });
  for (size_t p = 0; p < products.size(); ++p) {
    // Rounding may leave little of huge inputs' products; a file may hold any.
    for (int tries = 0; !factorize(products[p], order) && tries < MaxTries;
         ++tries) {
      for (int64_t i = 0; i < cols; ++i)
        products[p].matrix[i * cols + i] += 9 * added[p];
      added[p] *= 10;
    }
    if (corrects && !statistics.quantized.empty() &&
        !statistics.quantized[p].cross.empty())
      correct(products[p], statistics.quantized[p].cross, added[p]);
  }
}
