// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/evaluation/Answers.h"

#include "tools/evaluation/Parallel.h"
#include "tools/evaluation/Rouge.h"

using namespace pmpd::tools;

namespace {

Answer writeAnswer(OpenModel &model, pmpd_session *session,
                   const Prompt &prompt, int64_t tokens,
                   const std::vector<int32_t> &stops) {
  pmpd_session_reset(session);
  pmpd_generate_options options = PMPD_GENERATE_OPTIONS_INIT;
  options.max_tokens = tokens;
  options.stop_tokens = stops.data();
  options.stop_count = stops.size();
  Answer answer;
  answer.tokens.resize(tokens);
  int64_t count = 0;
  check(pmpd_generate(session, prompt.tokens.data(),
                      int64_t(prompt.tokens.size()), &options,
                      answer.tokens.data(), &count));
  answer.tokens.resize(count);
  for (int32_t token : answer.tokens)
    answer.text += model.tokenizer().decode(token);
  pmpd_session_stats(session, &answer.stats);
  return answer;
}

} // namespace

std::vector<std::vector<Answer>>
pmpd::tools::writeAnswers(OpenModel &model, const std::vector<Prompt> &prompts,
                          int64_t tokens,
                          const std::vector<std::string> &schedules) {
  const Workers workers(model.threads(), prompts.size());
  const std::vector<int32_t> stops = model.endTokens();
  std::vector<SessionPtr> sessions;
  for (int i = 0; i < workers.count; ++i)
    sessions.push_back(model.createSession(workers.threadsPer));
  std::vector<std::vector<Answer>> answers(prompts.size());
  workers.run("answers", prompts.size(), [&](int worker, size_t i) {
    pmpd_session *session = sessions[worker].get();
    for (const std::string &schedule : schedules) {
      setSchedule(session, schedule);
      answers[i].push_back(
          writeAnswer(model, session, prompts[i], tokens, stops));
    }
  });
  return answers;
}

std::vector<Answer> pmpd::tools::writeReferenceAnswers(
    OpenModel &reference, const std::vector<Prompt> &prompts, int64_t tokens) {
  int32_t highest = reference.bits(PMPD_DECODE).front();
  std::vector<Answer> answers;
  for (std::vector<Answer> &answer : writeAnswers(
           reference, prompts, tokens, {reference.uniformSchedule(highest)}))
    answers.push_back(std::move(answer.front()));
  return answers;
}

std::vector<AnswerScore>
pmpd::tools::scoreAnswers(const std::vector<Prompt> &prompts,
                          const std::vector<std::vector<Answer>> &answers,
                          const std::vector<Answer> *model) {
  std::vector<AnswerScore> scores(answers.empty() ? 0 : answers[0].size());
  for (size_t schedule = 0; schedule < scores.size(); ++schedule) {
    AnswerScore &score = scores[schedule];
    std::vector<double> bits, toModel, toReference;
    double seconds = 0;
    int64_t steps = 0;
    for (size_t i = 0; i < prompts.size(); ++i) {
      const Answer &answer = answers[i][schedule];
      const std::vector<std::string> words = rougeWords(answer.text);
      if (answer.stats.decode_tokens > 0)
        bits.push_back(answer.stats.average_bits);
      if (model)
        toModel.push_back(rougeL(rougeWords((*model)[i].text), words));
      if (!prompts[i].reference.empty())
        toReference.push_back(rougeL(rougeWords(prompts[i].reference), words));
      score.tokens += int64_t(answer.tokens.size());
      score.prefillBits = answer.stats.prefill_bits;
      seconds += answer.stats.decode_seconds;
      steps += answer.stats.decode_tokens;
    }
    score.bits = estimateMean(bits);
    score.toModel = estimateMean(toModel);
    score.toReference = estimateMean(toReference);
    score.referenced = int64_t(toReference.size());
    score.tokensPerSecond = seconds > 0 ? double(steps) / seconds : 0;
  }
  return scores;
}
