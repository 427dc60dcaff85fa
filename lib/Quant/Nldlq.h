// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the schemes of nested LDLQ share; RATIONALE.md has the experiments.
#ifndef PMPD_LIB_QUANT_NLDLQ_H
#define PMPD_LIB_QUANT_NLDLQ_H

#include <cstdint>

namespace pmpd::nldlq {

/// Times that all columns are rounded anew, with the parameters found so far.
constexpr int Rounds = 2;
/// Times after each that every code and parameter is improved on its own.
constexpr int Sweeps = 3;
/// 2 bits lose most and a schedule spends most tokens there.
constexpr float TwoBitBoost = 4;
/// Columns whose errors reach the others in one product.
constexpr int64_t BlockCols = 128;

} // namespace pmpd::nldlq

#endif // PMPD_LIB_QUANT_NLDLQ_H
