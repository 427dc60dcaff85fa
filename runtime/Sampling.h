// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_RUNTIME_SAMPLING_H
#define PMPD_RUNTIME_SAMPLING_H

#include "runtime/Status.h"

#include <vector>

namespace pmpd::rt {

/// Picks tokens; keeps its memory from one token to the next.
class Sampler {
public:
  /// As pmpd_sample.
  pmpd_status pick(const float *logits, int32_t vocab,
                   const pmpd_sampling &sampling, uint64_t &state,
                   int32_t &token);

private:
  struct Candidate {
    float logit;
    int32_t token;
    double weight; // relative to the best candidate's
  };
  void collect(const float *logits, int32_t vocab, int32_t best,
               float temperature);
  void keepTopK(size_t count);
  void keepTopP(double share);
  int32_t draw(double uniform);

  /// A total order, so that every step is deterministic.
  static bool isBetter(const Candidate &a, const Candidate &b) {
    return a.logit != b.logit ? a.logit > b.logit : a.token < b.token;
  }
  double totalWeight() const;

  std::vector<Candidate> candidates;
};

/// That no token can be chosen. Errors: BAD_ARGUMENT.
pmpd_status failNoFiniteLogit();

/// Checks the parameters alone. Errors: BAD_ARGUMENT.
pmpd_status checkSampling(const pmpd_sampling &sampling);

} // namespace pmpd::rt

#endif // PMPD_RUNTIME_SAMPLING_H
