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
  /// Reads the high `bits` bits of every code.
  void (*readCodes)(const NestedShape &whole, int bits, const uint8_t *bytes,
                    std::vector<uint8_t> &codes);
  /// Offset of the scale of a row and group, a half; its minimum comes
  /// `minDistance` bytes later.
  uint64_t (*scaleOffset)(const NestedShape &whole, int prefix, int64_t row,
                          int64_t group);
  int64_t minDistance;
};

extern const LayoutFunctions PlainLayout;
extern const LayoutFunctions SlicedLayout;
extern const LayoutFunctions NpuLayout;
extern const LayoutFunctions GpuLayout;

} // namespace pmpd

#endif // PMPD_LIB_PACK_LAYOUTS_H
