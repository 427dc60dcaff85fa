// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/targets/cuda/CallHeader.h"

#include <algorithm>
#include <cmath>
#include <limits>

using namespace pmpd::cuda;

/// Of a share above 0, so that sums are above it that hold the share itself.
static uint64_t largestBelow(float share) {
  if (share == 1)
    return std::numeric_limits<uint64_t>::max();
  return uint64_t(std::ceil(std::ldexp(share, 64))) - 1;
}

static pmpd_gpu_sampling samplingOf(const pmpd::rt::TokenChoice &choice,
                                    int32_t vocab) {
  const pmpd_sampling &given = choice.sampling;
  pmpd_gpu_sampling sampling = {};
  if (given.temperature > 0)
    sampling.inverse_temperature =
        std::min(1 / given.temperature, std::numeric_limits<float>::max());
  sampling.top_k = given.top_k ? given.top_k : vocab;
  sampling.top_p = largestBelow(given.top_p);
  sampling.uniform = uint64_t(std::ldexp(choice.uniform, 64));
  return sampling;
}

CallHeader::CallHeader(const rt::RegionCall &call, int32_t vocab)
    : all{int32_t(call.rows), int32_t(call.position)},
      withLogits{int32_t(call.logitRows), int32_t(call.position)},
      sampling(call.choice ? samplingOf(*call.choice, vocab)
                           : pmpd_gpu_sampling{}) {}
