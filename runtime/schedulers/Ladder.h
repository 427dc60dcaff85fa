// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What policies that go down step by step share.
#ifndef PMPD_RUNTIME_SCHEDULERS_LADDER_H
#define PMPD_RUNTIME_SCHEDULERS_LADDER_H

#include "runtime/Status.h"

#include <cstdint>
#include <vector>

namespace pmpd::rt {

/// Decode bits from high to low.
using Ladder = std::vector<int32_t>;

/// The bits of a range that a user may leave open on both sides.
struct BitRange {
  int32_t from = 0; // 0 = the highest compiled
  int32_t to = 0;   // 0 = the lowest compiled
};

/// The compiled decode bits of a range.
/// Errors: UNSUPPORTED_BITS, BAD_ARGUMENT (`to` above `from`).
pmpd_status makeLadder(const pmpd_model_desc &desc, BitRange range,
                       Ladder &ladder);

/// Classes of a decision on one adjacent pair of a ladder: the higher bits
/// last for 0, T/3, 2T/3 tokens or for good.
constexpr int32_t kPairClasses = 4;

/// The decision for one pair: the first token index that may have the lower
/// bits. `tokens` is T, the most tokens of the request; class c of C is c/(C-1)
/// of them.
int64_t firstLowToken(int32_t pairClass, int64_t tokens,
                      int32_t classes = kPairClasses);

/// The first low token of a pair that is not switched.
constexpr int64_t kNever = INT64_MAX;

/// Bits of a token under one decision per adjacent pair, [ladder - 1]: the
/// highest bits whose pair is not yet past its switch.
int32_t bitsUnderPairs(const Ladder &ladder,
                       const std::vector<int64_t> &firstLow, int64_t index);

} // namespace pmpd::rt

#endif // PMPD_RUNTIME_SCHEDULERS_LADDER_H
