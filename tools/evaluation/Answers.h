// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_TOOLS_EVALUATION_ANSWERS_H
#define PMPD_TOOLS_EVALUATION_ANSWERS_H

#include "tools/evaluation/Journal.h"
#include "tools/evaluation/Prompts.h"
#include "tools/evaluation/Statistics.h"

namespace pmpd::tools {

/// What a model wrote for a prompt, greedily.
struct Answer {
  std::vector<int32_t> tokens;
  std::string text;
  int32_t prefillBits = 0;
  double bits = 0;    // average over decode steps
  double steps = 0;   // of decode
  double seconds = 0; // after prefill, with the time to decide and choose
};

/// How good the answers of one schedule are.
struct AnswerScore {
  Estimate bits;          // average over an answer's decode steps
  Estimate toModel;       // ROUGE-L against the reference model's answers
  Estimate gain;          // of toModel over the first schedule, by prompt
  Estimate toReference;   // ROUGE-L against reference texts
  int64_t referenced = 0; // prompts that have such a text
  int64_t tokens = 0;     // of all answers
  int32_t prefillBits = 0;
  double tokensPerSecond = 0; // decode steps per such second, of one session
};

/// Answers of at most `tokens` to every prompt under every schedule, [prompt]
/// [schedule]. The schedules of one prompt run in turn on one thread's session,
/// so that their speeds can be compared. Answers do not depend on the number of
/// threads. `what` names them to the user and to the journal, which may be
/// null. Throws ToolError.
std::vector<std::vector<Answer>>
writeAnswers(OpenModel &model, const std::string &what,
             const std::vector<Prompt> &prompts, int64_t tokens,
             const std::vector<std::string> &schedules, Journal *journal);

/// The answers of a reference model at its highest bits, [prompt].
std::vector<Answer> writeReferenceAnswers(OpenModel &reference,
                                          const std::vector<Prompt> &prompts,
                                          int64_t tokens, Journal *journal);

/// Scores answers, [prompt][schedule], against those of a reference model,
/// [prompt], and against the texts of prompts that have one. Without `model`
/// toModel and gain are 0. Returns [schedule].
std::vector<AnswerScore>
scoreAnswers(const std::vector<Prompt> &prompts,
             const std::vector<std::vector<Answer>> &answers,
             const std::vector<Answer> *model);

} // namespace pmpd::tools

#endif // PMPD_TOOLS_EVALUATION_ANSWERS_H
