// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Pack/Layouts.h"

#include <algorithm>

using namespace pmpd;

static uint64_t plainBytes(const NestedShape &whole) {
  return pmpd_plain_tensor_bytes(whole.rows, whole.cols, whole.group,
                                 static_cast<unsigned>(whole.prefixes.size()));
}

static void packCodes(const NestedTensor &rows, int64_t first,
                      const NestedShape &whole, uint8_t *bytes) {
  std::copy(rows.codes.begin(), rows.codes.end(), bytes + first * whole.cols);
}

static uint64_t scaleOffset(const NestedShape &whole, int prefix, int64_t row,
                            int64_t group) {
  return pmpd_plain_params_offset(whole.rows, whole.cols, whole.group,
                                  static_cast<unsigned>(prefix)) +
         (row * whole.groups() + group) * 4;
}

static void readCodes(const NestedShape &whole, int bits, const uint8_t *bytes,
                      std::vector<uint8_t> &codes) {
  for (size_t i = 0; i < codes.size(); ++i)
    codes[i] = bytes[i] >> (whole.bits - bits);
}

const LayoutFunctions pmpd::PlainLayout = {plainBytes, packCodes, readCodes,
                                           scaleOffset, /*minDistance=*/2};
