// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Quant/Rotation.h"

#include <cmath>
#include <random>

using namespace pmpd;

Rotation::Rotation(int64_t cols)
    : cols(cols), block(cols & -cols), signs(cols) {
  std::minstd_rand random(20240204);
  float unit = 1 / std::sqrt(static_cast<float>(block));
  for (float &sign : signs)
    sign = random() & 1024 ? unit : -unit;
}

/// Multiplies by the Hadamard matrix, which is symmetric.
void Rotation::transform(float *values) const {
  for (int64_t half = 1; half < block; half *= 2)
    for (int64_t first = 0; first < block; first += 2 * half)
      for (int64_t i = first; i < first + half; ++i) {
        float low = values[i], high = values[i + half];
        values[i] = low + high;
        values[i + half] = low - high;
      }
}

void Rotation::apply(float *rows, int64_t count) const {
  for (int64_t row = 0; row < count; ++row)
    for (int64_t first = 0; first < cols; first += block) {
      float *values = rows + row * cols + first;
      for (int64_t i = 0; i < block; ++i)
        values[i] *= signs[first + i];
      transform(values);
    }
}

void Rotation::undo(float *rows, int64_t count) const {
  for (int64_t row = 0; row < count; ++row)
    for (int64_t first = 0; first < cols; first += block) {
      float *values = rows + row * cols + first;
      transform(values);
      for (int64_t i = 0; i < block; ++i)
        values[i] *= signs[first + i];
    }
}

void Rotation::conjugate(std::vector<float> &products) const {
  if (products.empty())
    return;
  auto transpose = [&] {
    for (int64_t i = 0; i < cols; ++i)
      for (int64_t j = 0; j < i; ++j)
        std::swap(products[i * cols + j], products[j * cols + i]);
  };
  apply(products.data(), cols);
  transpose();
  apply(products.data(), cols);
  transpose();
}

InputStatistics Rotation::apply(InputStatistics statistics) const {
  conjugate(statistics.products);
  for (InputStatistics::Quantized &quantized : statistics.quantized) {
    conjugate(quantized.products);
    conjugate(quantized.cross);
  }
  // Of rotated inputs the mean squares alone do not tell.
  statistics.meanSquare.clear();
  if (!statistics.products.empty())
    for (int64_t i = 0; i < cols; ++i)
      statistics.meanSquare.push_back(
          std::max(0.0f, statistics.products[i * cols + i]));
  return statistics;
}
