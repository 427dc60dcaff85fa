// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Quant/Panel.h"

#include <algorithm>

using namespace pmpd;

Panel::Panel(const PrefixProducts &products, const NestedShape &nested,
             int64_t group)
    : shape(nested.bits, nested.prefixes), cols(products.cols()), group(group),
      products(products), codes(cols * Lanes),
      tables(cols / group * shape.entries) {
  for (int p = 0; p < shape.prefixes; ++p) {
    weights[p].resize(cols);
    values[p].resize(cols);
    gradient[p].resize(cols);
    importance[p].lane.fill(1);
  }
}

void Panel::load(const float *rows, int64_t count) {
  for (int64_t col = 0; col < cols; ++col)
    for (int64_t row = 0; row < Lanes; ++row)
      weights[0][col][row] = row < count ? rows[row * cols + col] : 0;
  std::fill(weights.begin() + 1, weights.begin() + shape.prefixes, weights[0]);
  for (int p = shape.prefixes - 1; p >= 0; --p) {
    const std::vector<float> &correction = products[p].correction;
    if (correction.empty())
      continue;
    LaneMatrix corrected(cols);
    multiplyAdd(correction.data(), cols, cols, cols, weights[p].data(),
                corrected.data());
    weights[p] = std::move(corrected);
  }
}

void Panel::dequantize() {
  for (int64_t col = 0; col < cols; ++col) {
    const uint8_t *code = codesOf(col);
    for (int p = 0; p < shape.prefixes; ++p) {
      const LaneRow *entries = table(col / group) + shape.begin[p];
      for (int lane = 0; lane < Lanes; ++lane)
        values[p][col][lane] = entries[code[lane] >> shape.shift[p]][lane];
    }
  }
}

void Panel::roundWithFeedback(int64_t blockCols, const BeforeBlock &before) {
  for (int p = 0; p < shape.prefixes; ++p) {
    targets[p].resize(cols);
    changes[p].resize(cols);
    for (int64_t i = 0; i < cols; ++i)
      targets[p][i] = changes[p][i] = weights[p][products.order[i]];
  }
  // The gradient is not needed yet: its place takes the values in order.
  std::vector<uint8_t> ordered(cols * Lanes);
  std::vector<ValueTable> blockTables(blockCols);
  for (int64_t begin = 0; begin < cols; begin += blockCols) {
    int64_t end = std::min(begin + blockCols, cols);
    if (before)
      before(begin, end);
    ColumnBlock block{};
    block.count = end - begin;
    block.stride = cols;
    for (int64_t i = begin; i < end; ++i)
      blockTables[i - begin] = table(products.order[i] / group);
    block.tables = blockTables.data();
    block.weight = importance;
    for (int p = 0; p < shape.prefixes; ++p) {
      block.feedback[p] = &products[p].feedback[begin * cols + begin];
      block.curvature[p] = &products[p].curvature[begin];
      block.target[p] = &targets[p][begin];
      block.value[p] = &gradient[p][begin];
      block.change[p] = &changes[p][begin];
    }
    block.codes = &ordered[begin * Lanes];
    roundColumns(shape, block);
    for (int p = 0; p < shape.prefixes; ++p)
      multiplyAdd(&products[p].feedback[end * cols + begin], cols, cols - end,
                  end - begin, &changes[p][begin], targets[p].data() + end);
  }
  for (int64_t i = 0; i < cols; ++i) {
    int64_t col = products.order[i];
    std::copy_n(&ordered[i * Lanes], Lanes, codesOf(col));
    for (int p = 0; p < shape.prefixes; ++p)
      values[p][col] = gradient[p][i];
  }
}

void Panel::computeGradient() {
  LaneMatrix errors(cols);
  for (int p = 0; p < shape.prefixes; ++p) {
    for (int64_t col = 0; col < cols; ++col)
      for (int lane = 0; lane < Lanes; ++lane) {
        errors[col][lane] = values[p][col][lane] - weights[p][col][lane];
        gradient[p][col][lane] = 0;
      }
    multiplyAdd(products[p].matrix.data(), cols, cols, cols, errors.data(),
                gradient[p].data());
  }
}

LaneRow Panel::loss(int prefix) const {
  std::array<double, Lanes> sum{};
  for (int64_t col = 0; col < cols; ++col)
    for (int lane = 0; lane < Lanes; ++lane)
      sum[lane] += static_cast<double>(gradient[prefix][col][lane]) *
                   (values[prefix][col][lane] - weights[prefix][col][lane]);
  LaneRow result;
  for (int lane = 0; lane < Lanes; ++lane)
    result[lane] = static_cast<float>(std::max(sum[lane], 0.0));
  return result;
}

void Panel::balance(float boost) {
  std::array<LaneRow, PMPD_MAX_PREFIXES> losses;
  for (int p = 0; p < shape.prefixes; ++p)
    losses[p] = loss(p);
  for (int lane = 0; lane < Lanes; ++lane) {
    // An exact precision outweighs the others, but within float's reach.
    float least = 1e-30f;
    for (int p = 0; p < shape.prefixes; ++p)
      least = std::max(least, 1e-5f * losses[p][lane]);
    float sum = 0;
    for (int p = 0; p < shape.prefixes; ++p) {
      bool two = shape.bits - shape.shift[p] == 2;
      importance[p][lane] =
          (two ? boost : 1) / std::max(losses[p][lane], least);
      sum += importance[p][lane];
    }
    for (int p = 0; p < shape.prefixes; ++p)
      importance[p][lane] /= sum;
  }
}

void Panel::improveCodes(int64_t begin, int64_t count) {
  // A column's best code is that nearest to where its gradient would vanish.
  std::array<std::vector<float>, PMPD_MAX_PREFIXES> feedback, curvature;
  for (int p = 0; p < shape.prefixes; ++p) {
    const float *matrix = &products[p].matrix[begin * cols + begin];
    feedback[p].resize(count * count);
    for (int64_t k = 0; k < count; ++k) {
      curvature[p].push_back(matrix[k * cols + k]);
      for (int64_t j = 0; j < k; ++j)
        feedback[p][k * count + j] =
            -matrix[k * cols + j] / matrix[k * cols + k];
    }
  }
  std::vector<ValueTable> blockTables(count);
  for (int64_t i = 0; i < count; ++i)
    blockTables[i] = table((begin + i) / group);
  ColumnBlock block{};
  block.count = count;
  block.stride = count;
  block.tables = blockTables.data();
  block.weight = importance;
  block.codes = codesOf(begin);
  for (int p = 0; p < shape.prefixes; ++p) {
    block.feedback[p] = feedback[p].data();
    block.curvature[p] = curvature[p].data();
    targets[p].resize(count);
    changes[p].resize(count);
    for (int64_t i = 0; i < count; ++i) {
      int64_t col = begin + i;
      float inverse = 1 / curvature[p][i];
      changes[p][i] = values[p][col];
      for (int lane = 0; lane < Lanes; ++lane)
        targets[p][i][lane] =
            values[p][col][lane] - gradient[p][col][lane] * inverse;
    }
    block.target[p] = targets[p].data();
    block.value[p] = &values[p][begin];
    block.change[p] = changes[p].data();
  }
  roundColumns(shape, block);
}

void Panel::applyChanges(int64_t begin, int64_t count) {
  for (int p = 0; p < shape.prefixes; ++p)
    multiplyAdd(&products[p].matrix[begin], cols, cols, count,
                changes[p].data(), gradient[p].data());
}
