// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_LIB_REFERENCE_ROPETABLE_H
#define PMPD_LIB_REFERENCE_ROPETABLE_H

#include "dialects/PMPD/PMPD.h"

#include <vector>

namespace pmpd {

/// The table as its op defines it, computed in double: [context, 2 * n], every
/// row n cosines and then n sines, times the scale.
std::vector<float> computeRopeTable(RopeTableOp table);

} // namespace pmpd

#endif // PMPD_LIB_REFERENCE_ROPETABLE_H
