// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_TOOLS_EVALUATION_ANSWERS_H
#define PMPD_TOOLS_EVALUATION_ANSWERS_H

#include "tools/evaluation/Prompts.h"
#include "tools/evaluation/Statistics.h"

namespace pmpd::tools {

/// What a model wrote for a prompt, greedily.
struct Answer {
  std::vector<int32_t> tokens;
  std::string text;
  pmpd_stats stats = {}; // of this answer alone
};

/// How good the answers of one schedule are.
struct AnswerScore {
  Estimate bits;          // average over an answer's decode steps
  Estimate toModel;       // ROUGE-L against the reference model's answers
  Estimate toReference;   // ROUGE-L against reference texts
  int64_t referenced = 0; // prompts that have such a text
  int64_t tokens = 0;     // of all answers
  int32_t prefillBits = 0;
  double tokensPerSecond = 0; // of decode, of one session
};

/// Answers of at most `tokens` to every prompt under every schedule, [prompt]
/// [schedule]. The schedules of one prompt run in turn on one thread's session,
/// so that their speeds can be compared. Answers do not depend on the number of
/// threads. Throws ToolError.
std::vector<std::vector<Answer>>
writeAnswers(OpenModel &model, const std::vector<Prompt> &prompts,
             int64_t tokens, const std::vector<std::string> &schedules);

/// The answers of a reference model at its highest bits, [prompt].
std::vector<Answer> writeReferenceAnswers(OpenModel &reference,
                                          const std::vector<Prompt> &prompts,
                                          int64_t tokens);

/// Scores answers, [prompt][schedule], against those of a reference model,
/// [prompt], and against the texts of prompts that have one. Without `model`
/// toModel is 0. Returns [schedule].
std::vector<AnswerScore>
scoreAnswers(const std::vector<Prompt> &prompts,
             const std::vector<std::vector<Answer>> &answers,
             const std::vector<Answer> *model);

} // namespace pmpd::tools

#endif // PMPD_TOOLS_EVALUATION_ANSWERS_H
