// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_TOOLS_EVALUATION_TEACHERFORCED_H
#define PMPD_TOOLS_EVALUATION_TEACHERFORCED_H

#include "tools/evaluation/Journal.h"
#include "tools/evaluation/Prompts.h"

namespace pmpd::tools {

/// Negative natural logarithm of the softmax probability of `token`.
double surprise(const float *logits, int32_t vocab, int32_t token);

/// Kullback-Leibler divergence of softmax(logits) from softmax(reference), in
/// nats: the mean under the reference of the logarithm of their ratio.
double divergence(const float *reference, const float *logits, int32_t vocab);

/// Tokens to feed one after another, scored from `prompt` on.
struct Sequence {
  std::vector<int32_t> tokens;
  int64_t prompt; // at least 1, less than the tokens
};

/// A text, cut into windows that are scored independently of each other.
struct EvalText {
  std::vector<int32_t> tokens;
  std::vector<int32_t> begin; // put before every window; 0 or 1 tokens
  int64_t window;             // inputs per window, begin included; >= 2
};

/// The windows of a text; their prompt is their first token.
std::vector<Sequence> cutWindows(const EvalText &text);

/// The prompts that have a reference, followed by it.
std::vector<Sequence> toSequences(const std::vector<Prompt> &prompts);

/// How sequences are scored.
struct Setting {
  std::string schedule;
  bool byPrefill = false; // by prefill regions alone, those of the schedule
};

/// Teacher-forced scores.
struct Score {
  int64_t tokens = 0;
  int64_t bytes = 0;
  int64_t words = 0;   // separated by white space
  double nats = 0;     // negative log likelihood
  double diverged = 0; // sum of divergences from the reference model
  double bits = 0;     // of the regions that scored, summed over tokens
  double steps = 0;    // of decode
  double seconds = 0;  // of these steps

  double perTokenPerplexity() const;
  double perWordPerplexity() const;
  double bitsPerByte() const;
  double averageBits() const;
  double averageDivergence() const;
  double tokensPerSecond() const; // of one session; 0 without decode steps
};

/// Scores sequences under every setting. A schedule is scored as it would be
/// generated: prefill of the prompt, then one decode step per token. The
/// settings take turns within a sequence. With a reference, which has the same
/// vocabulary, divergences from its prefill logits are added up too. The scores
/// do not depend on the number of threads. `what` names the sequences to the
/// user and to the journal, which may be null. Throws ToolError.
std::vector<Score> scoreSequences(OpenModel &model, OpenModel *reference,
                                  const std::string &what,
                                  const std::vector<Sequence> &sequences,
                                  const std::vector<Setting> &settings,
                                  Journal *journal);

} // namespace pmpd::tools

#endif // PMPD_TOOLS_EVALUATION_TEACHERFORCED_H
