// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One set of functions per layout; Pack.cpp chooses.
#ifndef PMPD_LIB_PACK_LAYOUTS_H
#define PMPD_LIB_PACK_LAYOUTS_H

#include "lib/Pack/Pack.h"

namespace pmpd {

/// A layout as functions. `rows` are rows of a tensor of shape `whole` from row
/// `first` on; `bytes` is the packed whole.
struct LayoutFunctions {
  uint64_t (*bytes)(const NestedShape &whole);
  void (*packCodes)(const NestedTensor &rows, int64_t first,
                    const NestedShape &whole, uint8_t *bytes);
  void (*packParams)(const NestedParams &rows, int64_t first, int prefix,
                     const NestedShape &whole, uint8_t *bytes);
  /// Reads the high `bits` bits of every code.
  void (*readCodes)(const NestedShape &whole, int bits, const uint8_t *bytes,
                    std::vector<uint8_t> &codes);
  void (*readParams)(const NestedShape &whole, int prefix, const uint8_t *bytes,
                     NestedParams &params);
};

extern const LayoutFunctions PlainLayout;
extern const LayoutFunctions SlicedLayout;
extern const LayoutFunctions NpuLayout;

inline void storeHalf(uint8_t *bytes, uint16_t half) {
  bytes[0] = static_cast<uint8_t>(half);
  bytes[1] = static_cast<uint8_t>(half >> 8);
}

inline uint16_t loadHalf(const uint8_t *bytes) {
  return static_cast<uint16_t>(bytes[0] | bytes[1] << 8);
}

} // namespace pmpd

#endif // PMPD_LIB_PACK_LAYOUTS_H
