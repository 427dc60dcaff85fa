// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_TOOLS_PMPD_TUNE_ROLLOUTS_H
#define PMPD_TOOLS_PMPD_TUNE_ROLLOUTS_H

#include "tools/support/Tool.h"

namespace pmpd::tools {

/// Greedy answers to one prompt that share a beginning. The beginning is
/// decoded once: a fork takes back the tokens after it.
class Rollouts {
public:
  Rollouts(OpenModel &model, pmpd_session *session, int64_t tokens);

  /// Prefills the prompt; later answers are to it.
  void prefill(const std::vector<int32_t> &prompt);

  /// The answer whose first `high` tokens are those of the latest answer with
  /// `high` of all tokens, and whose others are decoded at `bits`. It becomes
  /// the latest if `high` is 0.
  std::vector<int32_t> fork(int64_t high, int32_t bits);

private:
  pmpd_session *session;
  const int64_t most; // tokens of an answer
  std::vector<int32_t> stops;
  std::vector<float> logits;   // [vocab]
  std::vector<int32_t> latest; // the answer that is forked
  int64_t promptTokens = 0;
  int32_t first = 0; // token that prefill chose
  int32_t bits = 0;  // of the next step
};

} // namespace pmpd::tools

#endif // PMPD_TOOLS_PMPD_TUNE_ROLLOUTS_H
