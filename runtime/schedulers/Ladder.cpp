// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/schedulers/Ladder.h"

#include "runtime/Descriptor.h"

#include <algorithm>

using namespace pmpd::rt;

pmpd_status pmpd::rt::makeLadder(const pmpd_model_desc &desc, BitRange range,
                                 Ladder &ladder) {
  for (int32_t bits : {range.from, range.to})
    if (bits != 0 && !findRegion(desc, PMPD_DECODE, bits))
      return failUnsupportedBits(desc, PMPD_DECODE, bits);
  ladder.clear();
  for (int32_t i = 0; i < desc.region_count; ++i) {
    const pmpd_region_desc &region = desc.regions[i];
    if (region.phase == PMPD_DECODE && region.bits >= range.to &&
        (range.from == 0 || region.bits <= range.from))
      ladder.push_back(region.bits);
  }
  std::sort(ladder.rbegin(), ladder.rend());
  if (ladder.empty())
    return fail(PMPD_BAD_ARGUMENT, "expected from= of at least to=, but got " +
                                       std::to_string(range.from) + " and " +
                                       std::to_string(range.to));
  return PMPD_OK;
}

int64_t pmpd::rt::firstLowToken(int32_t pairClass, int64_t tokens,
                                int32_t classes) {
  int32_t last = classes - 1;
  if (pairClass == last)
    return kNever;
  return tokens / last * pairClass + tokens % last * pairClass / last;
}

int32_t pmpd::rt::bitsUnderPairs(const Ladder &ladder,
                                 const std::vector<int64_t> &firstLow,
                                 int64_t index) {
  size_t rung = 0;
  while (rung < firstLow.size() && index >= firstLow[rung])
    ++rung;
  return ladder[rung];
}
