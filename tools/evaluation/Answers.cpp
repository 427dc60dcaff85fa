// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/evaluation/Answers.h"

#include "tools/evaluation/Parallel.h"
#include "tools/evaluation/Rouge.h"

#include <chrono>

using namespace pmpd::tools;

namespace {

constexpr int64_t kMostBits = 32; // of an unquantized weight

/// Appends what readAnswer reads.
void writeAnswer(pmpd_session *session, const Prompt &prompt, int64_t most,
                 const std::vector<int32_t> &stops,
                 std::vector<double> &values) {
  pmpd_session_reset(session);
  pmpd_generate_options options = PMPD_GENERATE_OPTIONS_INIT;
  options.max_tokens = most;
  options.stop_tokens = stops.data();
  options.stop_count = stops.size();
  std::vector<int32_t> tokens(most);
  int64_t count = 0;
  const auto begin = std::chrono::steady_clock::now();
  check(pmpd_generate(session, prompt.tokens.data(),
                      int64_t(prompt.tokens.size()), &options, tokens.data(),
                      &count));
  const std::chrono::duration<double> wall =
      std::chrono::steady_clock::now() - begin;
  pmpd_stats stats;
  pmpd_session_stats(session, &stats);
  values.insert(values.end(),
                {double(stats.prefill_bits), stats.average_bits,
                 double(stats.decode_tokens),
                 wall.count() - stats.prefill_seconds, double(count)});
  values.insert(values.end(), tokens.begin(), tokens.begin() + count);
}

/// Reads the next answer of at most `most` tokens.
Answer readAnswer(OpenModel &model, JournalReader &values, int64_t most) {
  Answer answer;
  answer.prefillBits = int32_t(values.count(kMostBits));
  answer.bits = values.number();
  answer.steps = values.number();
  answer.seconds = values.number();
  for (int64_t count = values.count(most); count > 0; --count) {
    answer.tokens.push_back(int32_t(values.count(model.desc().vocab - 1)));
    answer.text += model.tokenizer().decode(answer.tokens.back());
  }
  return answer;
}

} // namespace

std::vector<std::vector<Answer>>
pmpd::tools::writeAnswers(OpenModel &model, const std::string &what,
                          const std::vector<Prompt> &prompts, int64_t tokens,
                          const std::vector<std::string> &schedules,
                          Journal *journal) {
  const Workers workers(model.threads(), prompts.size());
  const std::vector<int32_t> stops = model.endTokens();
  std::vector<SessionPtr> sessions;
  for (int i = 0; i < workers.count; ++i)
    sessions.push_back(model.createSession(workers.threadsPer));
  auto measured =
      workers.measure(what, prompts.size(), journal, [&](int worker, size_t i) {
        pmpd_session *session = sessions[worker].get();
        std::vector<double> values;
        for (const std::string &schedule : schedules) {
          setSchedule(session, schedule);
          writeAnswer(session, prompts[i], tokens, stops, values);
        }
        return values;
      });
  std::vector<std::vector<Answer>> answers(prompts.size());
  for (size_t i = 0; i < prompts.size(); ++i) {
    JournalReader values(measured[i]);
    for (size_t schedule = 0; schedule < schedules.size(); ++schedule)
      answers[i].push_back(readAnswer(model, values, tokens));
  }
  return answers;
}

std::vector<Answer>
pmpd::tools::writeReferenceAnswers(OpenModel &reference,
                                   const std::vector<Prompt> &prompts,
                                   int64_t tokens, Journal *journal) {
  int32_t highest = reference.bits(PMPD_DECODE).front();
  std::vector<Answer> answers;
  for (std::vector<Answer> &answer :
       writeAnswers(reference, "reference answers", prompts, tokens,
                    {reference.uniformSchedule(highest)}, journal))
    answers.push_back(std::move(answer.front()));
  return answers;
}

std::vector<AnswerScore>
pmpd::tools::scoreAnswers(const std::vector<Prompt> &prompts,
                          const std::vector<std::vector<Answer>> &answers,
                          const std::vector<Answer> *model) {
  std::vector<AnswerScore> scores(answers.empty() ? 0 : answers[0].size());
  std::vector<double> first; // toModel of the first schedule
  for (size_t schedule = 0; schedule < scores.size(); ++schedule) {
    AnswerScore &score = scores[schedule];
    std::vector<double> bits, toModel, gain, toReference;
    double seconds = 0, steps = 0;
    for (size_t i = 0; i < prompts.size(); ++i) {
      const Answer &answer = answers[i][schedule];
      const std::vector<std::string> words = rougeWords(answer.text);
      if (answer.steps > 0)
        bits.push_back(answer.bits);
      if (model)
        toModel.push_back(rougeL(rougeWords((*model)[i].text), words));
      if (!prompts[i].reference.empty())
        toReference.push_back(rougeL(rougeWords(prompts[i].reference), words));
      score.tokens += int64_t(answer.tokens.size());
      score.prefillBits = answer.prefillBits;
      seconds += answer.seconds;
      steps += answer.steps;
    }
    score.bits = estimateMean(bits);
    score.toModel = estimateMean(toModel);
    if (schedule == 0)
      first = toModel;
    for (size_t i = 0; i < toModel.size(); ++i)
      gain.push_back(toModel[i] - first[i]);
    score.gain = estimateMean(gain);
    score.toReference = estimateMean(toReference);
    score.referenced = int64_t(toReference.size());
    score.tokensPerSecond = seconds > 0 ? steps / seconds : 0;
  }
  return scores;
}
