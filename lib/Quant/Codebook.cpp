// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Quant/Codebook.h"
#include "lib/Quant/Half.h"
#include "lib/Quant/Nldlq.h"
#include "lib/Quant/Panel.h"

#include <Eigen/Cholesky>

#include <algorithm>
#include <optional>

using namespace pmpd;

namespace {

/// A panel in which every row has a table.
class CodebookPanel : public Panel {
public:
  CodebookPanel(const PrefixProducts &products, const NestedShape &nested)
      : Panel(products, nested, nested.cols), nested(nested) {}

  void loadCodes(const NestedTensor &from, int64_t first, int64_t count);
  void storeCodes(NestedTensor &to, int64_t first, int64_t count);

  /// Gives every row the tables that are best for its codes under the full H:
  /// least squares. Sets values and gradient.
  void refit();

private:
  void refitPrefix(int prefix);

  const NestedShape &nested;
};

class CodebookQuantizer : public RowQuantizer {
public:
  CodebookQuantizer(const NestedShape &shape, const InputStatistics &statistics)
      : shape(shape), start(createAnyPrecisionQuantizer(shape, statistics)) {
    // Without them there is nothing that errors could make up for.
    if (statistics.hasProducts())
      products.emplace(shape, statistics, /*largestFirst=*/true,
                       /*corrects=*/true);
  }

  void quantizeRows(const float *weights, int64_t begin, int64_t end,
                    NestedTensor &out) const override;

private:
  NestedShape shape;
  std::unique_ptr<RowQuantizer> start;
  std::optional<PrefixProducts> products;
};

} // namespace

void CodebookPanel::loadCodes(const NestedTensor &from, int64_t first,
                              int64_t count) {
  std::fill(codes.begin(), codes.end(), 0);
  for (int64_t row = 0; row < count; ++row) {
    for (int64_t col = 0; col < cols; ++col)
      codesOf(col)[row] = from.codes[(first + row) * cols + col];
    for (int p = 0; p < shape.prefixes; ++p)
      for (int c = 0; c < 1 << nested.prefixes[p]; ++c)
        table(0)[shape.begin[p] + c][row] = halfToFloat(
            from.params[p].table[((first + row) << nested.prefixes[p]) + c]);
  }
  dequantize();
}

void CodebookPanel::storeCodes(NestedTensor &to, int64_t first, int64_t count) {
  for (int64_t row = 0; row < count; ++row) {
    for (int64_t col = 0; col < cols; ++col)
      to.codes[(first + row) * cols + col] = codesOf(col)[row];
    for (int p = 0; p < shape.prefixes; ++p)
      for (int c = 0; c < 1 << nested.prefixes[p]; ++c)
        to.params[p].table[((first + row) << nested.prefixes[p]) + c] =
            floatToHalf(table(0)[shape.begin[p] + c][row]);
  }
}

void CodebookPanel::refit() {
  for (int p = 0; p < shape.prefixes; ++p)
    refitPrefix(p);
  dequantize();
  computeGradient();
}

void CodebookPanel::refitPrefix(int p) {
  // With the columns of code c marked by x_c, the least squares have the matrix
  // x_c H x_d^T and the right side x_c H w^T.
  int count = 1 << nested.prefixes[p];
  std::vector<Eigen::MatrixXd> matrix(Lanes,
                                      Eigen::MatrixXd::Zero(count, count));
  std::vector<Eigen::VectorXd> side(Lanes, Eigen::VectorXd::Zero(count));
  LaneMatrix marked(cols), product(cols);
  for (int c = 0; c < count; ++c) {
    for (int64_t col = 0; col < cols; ++col)
      for (int lane = 0; lane < Lanes; ++lane) {
        marked[col][lane] = codesOf(col)[lane] >> shape.shift[p] == c;
        product[col][lane] = 0;
      }
    multiplyAdd(products[p].matrix.data(), cols, cols, cols, marked.data(),
                product.data());
    for (int64_t col = 0; col < cols; ++col)
      for (int lane = 0; lane < Lanes; ++lane) {
        matrix[lane](c, codesOf(col)[lane] >> shape.shift[p]) +=
            product[col][lane];
        side[lane](c) +=
            static_cast<double>(product[col][lane]) * weights[p][col][lane];
      }
  }
  LaneRow *entries = table(0) + shape.begin[p];
  for (int lane = 0; lane < Lanes; ++lane) {
    for (int c = 0; c < count; ++c)
      if (matrix[lane](c, c) == 0) { // A code that no column has stays.
        matrix[lane](c, c) = 1;
        side[lane](c) = entries[c][lane];
      }
    Eigen::VectorXd fitted = matrix[lane].ldlt().solve(side[lane]);
    if (!fitted.allFinite())
      continue;
    for (int c = 0; c < count; ++c)
      entries[c][lane] = halfToFloat(floatToHalf(static_cast<float>(
          std::clamp<double>(fitted(c), -MaxHalf, MaxHalf))));
  }
}

void CodebookQuantizer::quantizeRows(const float *weights, int64_t begin,
                                     int64_t end, NestedTensor &out) const {
  start->quantizeRows(weights, begin, end, out);
  if (!products)
    return;
  CodebookPanel panel(*products, shape);
  for (int64_t first = begin; first < end; first += Lanes) {
    int64_t count = std::min<int64_t>(Lanes, end - first);
    panel.load(weights + first * shape.cols, count);
    panel.loadCodes(out, first, count);
    panel.computeGradient();
    for (int round = 0; round < nldlq::Rounds; ++round) {
      panel.balance(nldlq::TwoBitBoost);
      panel.roundWithFeedback(nldlq::BlockCols, nullptr);
      panel.refit();
      for (int sweep = 0; sweep < nldlq::Sweeps; ++sweep) {
        panel.balance(nldlq::TwoBitBoost);
        for (int64_t col = 0; col < shape.cols; col += nldlq::BlockCols) {
          int64_t cols = std::min(nldlq::BlockCols, shape.cols - col);
          panel.improveCodes(col, cols);
          panel.applyChanges(col, cols);
        }
        panel.refit();
      }
    }
    panel.storeCodes(out, first, count);
  }
}

std::unique_ptr<RowQuantizer>
pmpd::createCodebookQuantizer(const NestedShape &shape,
                              const InputStatistics &statistics) {
  return std::make_unique<CodebookQuantizer>(shape, statistics);
}
