// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/Sampling.h"

#include "runtime/SplitMix.h"

#include <algorithm>
#include <cmath>

using namespace pmpd::rt;

namespace {

/// Index of the highest finite logit, the lowest of equals; -1 if none.
int32_t findBest(const float *logits, int32_t vocab) {
  int32_t best = -1;
  for (int32_t i = 0; i < vocab; ++i)
    if (std::isfinite(logits[i]) && (best < 0 || logits[i] > logits[best]))
      best = i;
  return best;
}

} // namespace

pmpd_status pmpd::rt::checkSampling(const pmpd_sampling &sampling) {
  // Written so that NaN fails too.
  if (!(sampling.temperature >= 0) || std::isinf(sampling.temperature))
    return fail(PMPD_BAD_ARGUMENT, "expected a temperature of at least 0, but "
                                   "got " +
                                       std::to_string(sampling.temperature));
  if (sampling.top_k < 0)
    return fail(PMPD_BAD_ARGUMENT, "expected a top_k of at least 0, but got " +
                                       std::to_string(sampling.top_k));
  if (!(sampling.top_p > 0 && sampling.top_p <= 1))
    return fail(PMPD_BAD_ARGUMENT, "expected a top_p above 0 and at most 1, "
                                   "but got " +
                                       std::to_string(sampling.top_p));
  return PMPD_OK;
}

pmpd_status pmpd::rt::failNoFiniteLogit() {
  return fail(PMPD_BAD_ARGUMENT, "expected at least one finite logit");
}

void Sampler::collect(const float *logits, int32_t vocab, int32_t best,
                      float temperature) {
  candidates.clear();
  for (int32_t i = 0; i < vocab; ++i)
    if (std::isfinite(logits[i])) {
      double below = double(logits[i]) - logits[best];
      candidates.push_back({logits[i], i, std::exp(below / temperature)});
    }
}

void Sampler::keepTopK(size_t count) {
  if (count == 0 || count >= candidates.size())
    return;
  std::nth_element(candidates.begin(), candidates.begin() + count,
                   candidates.end(), isBetter);
  candidates.resize(count);
}

/// Keeps the fewest best candidates that hold `share` of the weight.
void Sampler::keepTopP(double share) {
  if (share == 1)
    return;
  // A heap: usually few of a large vocabulary are kept, so no full sort.
  auto isWorse = [](const Candidate &a, const Candidate &b) {
    return isBetter(b, a);
  };
  double missing = share * totalWeight();
  std::make_heap(candidates.begin(), candidates.end(), isWorse);
  auto kept = candidates.end();
  while (kept != candidates.begin() && missing > 0) {
    std::pop_heap(candidates.begin(), kept--, isWorse);
    missing -= kept->weight;
  }
  candidates.erase(candidates.begin(), kept);
}

double Sampler::totalWeight() const {
  double total = 0;
  for (const Candidate &candidate : candidates)
    total += candidate.weight;
  return total;
}

/// In the order of tokens, which every target can follow.
int32_t Sampler::draw(double uniform) {
  auto isBefore = [](const Candidate &a, const Candidate &b) {
    return a.token < b.token;
  };
  if (!std::is_sorted(candidates.begin(), candidates.end(), isBefore))
    std::sort(candidates.begin(), candidates.end(), isBefore);
  double rest = uniform * totalWeight();
  for (const Candidate &candidate : candidates) {
    rest -= candidate.weight;
    if (rest < 0)
      return candidate.token;
  }
  return candidates.back().token; // rounding left a crumb
}

pmpd_status Sampler::pick(const float *logits, int32_t vocab,
                          const pmpd_sampling &sampling, uint64_t &state,
                          int32_t &token) {
  if (pmpd_status status = checkSampling(sampling))
    return status;
  int32_t best = findBest(logits, vocab);
  if (best < 0)
    return failNoFiniteLogit();
  token = best;
  if (sampling.temperature == 0)
    return PMPD_OK;
  collect(logits, vocab, best, sampling.temperature);
  keepTopK(sampling.top_k);
  keepTopP(sampling.top_p);
  token = draw(nextUniform(state));
  return PMPD_OK;
}

pmpd_status pmpd_sample(const float *logits, int32_t vocab,
                        const pmpd_sampling *sampling, uint64_t *state,
                        int32_t *token) {
  return guard([&] {
    if (!logits || vocab < 1 || !sampling || !state || !token)
      return fail(PMPD_BAD_ARGUMENT,
                  "expected logits, parameters, a state and a place for the "
                  "token, but got NULL or no vocabulary");
    return Sampler().pick(logits, vocab, *sampling, *state, *token);
  });
}
