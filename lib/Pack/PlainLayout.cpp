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

static uint64_t paramsOffset(const NestedShape &whole, int prefix) {
  return pmpd_plain_params_offset(whole.rows, whole.cols, whole.group,
                                  static_cast<unsigned>(prefix));
}

static void packParams(const NestedParams &rows, int64_t first, int prefix,
                       const NestedShape &whole, uint8_t *bytes) {
  uint8_t *pair =
      bytes + paramsOffset(whole, prefix) + first * whole.groups() * 4;
  for (size_t i = 0; i < rows.scale.size(); ++i, pair += 4) {
    storeHalf(pair, rows.scale[i]);
    storeHalf(pair + 2, rows.min[i]);
  }
}

static void readCodes(const NestedShape &whole, int bits, const uint8_t *bytes,
                      std::vector<uint8_t> &codes) {
  for (size_t i = 0; i < codes.size(); ++i)
    codes[i] = bytes[i] >> (whole.bits - bits);
}

static void readParams(const NestedShape &whole, int prefix,
                       const uint8_t *bytes, NestedParams &params) {
  const uint8_t *pair = bytes + paramsOffset(whole, prefix);
  for (size_t i = 0; i < params.scale.size(); ++i, pair += 4) {
    params.scale[i] = loadHalf(pair);
    params.min[i] = loadHalf(pair + 2);
  }
}

const LayoutFunctions pmpd::PlainLayout = {plainBytes, packCodes, packParams,
                                           readCodes, readParams};
