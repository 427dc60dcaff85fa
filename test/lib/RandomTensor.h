// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_TEST_LIB_RANDOMTENSOR_H
#define PMPD_TEST_LIB_RANDOMTENSOR_H

#include "lib/Quant/Half.h"
#include "lib/Quant/NestedTensor.h"
#include <random>

namespace pmpd::test {

inline NestedShape nestedShape(int64_t rows, int64_t cols, int64_t group,
                               std::vector<int> prefixes) {
  NestedShape shape;
  shape.rows = rows;
  shape.cols = cols;
  shape.group = group;
  shape.bits = prefixes.back();
  shape.prefixes = std::move(prefixes);
  return shape;
}

/// Any codes; scales in [0, 1), mins in [-2, 2).
inline NestedTensor randomTensor(const NestedShape &shape, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> unit(0, 1);
  NestedTensor tensor(shape);
  for (uint8_t &code : tensor.codes)
    code = static_cast<uint8_t>(random() % (1u << shape.bits));
  for (NestedParams &params : tensor.params) {
    for (uint16_t &scale : params.scale)
      scale = floatToHalf(unit(random));
    for (uint16_t &min : params.min)
      min = floatToHalf(4 * unit(random) - 2);
  }
  return tensor;
}

} // namespace pmpd::test

#endif // PMPD_TEST_LIB_RANDOMTENSOR_H
