// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_TOOLS_PMPD_GPU_CHECK_NESTEDWEIGHT_H
#define PMPD_TOOLS_PMPD_GPU_CHECK_NESTEDWEIGHT_H

#include "pmpd/gpu_layout.h"

#include <cstdint>
#include <vector>

namespace pmpd::tools {

/// A weight of 4 bits, readable at 2, 3 and 4, in layout GPU.
struct NestedWeight {
  int64_t rows, cols, group;

  uint64_t bytes() const;
  /// Of a read at `bits`, parameters included.
  uint64_t bytesRead(int bits) const;

  /// Random codes, scales and minima.
  std::vector<uint8_t> random(uint64_t seed) const;

  /// What the row is at `bits`, read by the text of gpu_layout.h alone.
  std::vector<double> row(const std::vector<uint8_t> &packed, int64_t index,
                          int bits) const;
};

/// Fills memory with the bytes of a generator.
void fillRandom(void *to, uint64_t bytes, uint64_t seed);

/// Fills memory with fp16 numbers of magnitudes from 2^-10 to 2^-4.
void fillRandomHalves(void *to, uint64_t bytes, uint64_t seed);

} // namespace pmpd::tools

#endif // PMPD_TOOLS_PMPD_GPU_CHECK_NESTEDWEIGHT_H
