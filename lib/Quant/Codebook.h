// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Quantizers that give every row a table of values.
#ifndef PMPD_LIB_QUANT_CODEBOOK_H
#define PMPD_LIB_QUANT_CODEBOOK_H

#include "lib/Quant/Quantizer.h"

namespace pmpd {

/// Any-Precision's: clusters of the row, which every further bit splits.
/// Source: arXiv:2402.10517, with mean squares for the gradients' squares.
std::unique_ptr<RowQuantizer>
createAnyPrecisionQuantizer(const NestedShape &, const InputStatistics &);

/// Nested LDLQ with tables.
std::unique_ptr<RowQuantizer> createCodebookQuantizer(const NestedShape &,
                                                      const InputStatistics &);

} // namespace pmpd

#endif // PMPD_LIB_QUANT_CODEBOOK_H
