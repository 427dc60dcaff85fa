// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_LIB_PACK_PACK_H
#define PMPD_LIB_PACK_PACK_H

#include "lib/Quant/NestedTensor.h"
#include "pmpd/layout.h"

namespace pmpd {

/// What keeps a tensor of this shape out of the layout, or an empty text.
/// `layout` is PMPD_LAYOUT_PLAIN, S, NPU or GPU, here and below; the other
/// functions need a shape and layout without a problem.
std::string layoutProblem(const NestedShape &shape, pmpd_layout layout);

/// Bytes of a packed tensor.
uint64_t packedBytes(const NestedShape &shape, pmpd_layout layout);

/// Packs some rows of a tensor of shape `whole`, from row `first` on, a
/// multiple of PMPD_PANEL_ROWS (layout NPU: of 64); their number is one too,
/// except in the last rows. `bytes` [packedBytes(whole, layout)] is zero where
/// nothing was packed yet. Calls for other rows may run at once.
void packRows(const NestedTensor &rows, int64_t first, const NestedShape &whole,
              pmpd_layout layout, uint8_t *bytes);

/// Packs a whole tensor.
std::vector<uint8_t> pack(const NestedTensor &tensor, pmpd_layout layout);

/// The inverse of pack. bytes is [packedBytes(shape, layout)].
NestedTensor unpack(const NestedShape &shape, pmpd_layout layout,
                    const uint8_t *bytes);

/// The tensor that is left at shape.prefixes[prefix] bits; touches only the
/// bytes that a read at these bits needs.
NestedTensor readPrefix(const NestedShape &shape, int prefix,
                        pmpd_layout layout, const uint8_t *bytes);

} // namespace pmpd

#endif // PMPD_LIB_PACK_PACK_H
