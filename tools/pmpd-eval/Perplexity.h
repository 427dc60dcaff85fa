// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_TOOLS_PMPD_EVAL_PERPLEXITY_H
#define PMPD_TOOLS_PMPD_EVAL_PERPLEXITY_H

#include "tools/support/Tool.h"

namespace pmpd::tools {

/// A text, cut into windows that are scored independently of each other.
struct EvalText {
  std::vector<int32_t> tokens;
  std::vector<int32_t> begin; // put before every window; 0 or 1 tokens
  int64_t window;             // inputs per window, begin included; >= 2
};

/// Teacher-forced log likelihood of what was scored.
struct Score {
  int64_t tokens = 0;
  int64_t bytes = 0;
  int64_t words = 0; // separated by white space
  double nats = 0;   // negative log likelihood
  double bits = 0;   // of the regions that scored, summed over tokens

  double perTokenPerplexity() const;
  double perWordPerplexity() const;
  double bitsPerByte() const;
  double averageBits() const;
};

/// Scores `text` with the logits of prefill regions of `bits`.
Score scoreByPrefill(OpenModel &model, const EvalText &text, int32_t bits);

/// Scores `text` as it would be generated: prefill of each window's first
/// token, then one decode step per token at the schedule's bits.
Score scoreByDecode(OpenModel &model, const EvalText &text,
                    const std::string &schedule);

} // namespace pmpd::tools

#endif // PMPD_TOOLS_PMPD_EVAL_PERPLEXITY_H
