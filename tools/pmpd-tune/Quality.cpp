// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/pmpd-tune/Quality.h"

#include "tools/evaluation/Parallel.h"
#include "tools/evaluation/Rouge.h"
#include "tools/evaluation/TeacherForced.h"

#include <algorithm>
#include <cmath>

using namespace pmpd::tools;

namespace {

/// An answer up to a segment's start.
struct State {
  int64_t held = 0; // tokens in the session
  std::vector<int32_t> tokens;
  double sum = 0; // of the metric over tokens
  bool ended = false;
};

/// One thread's sessions; rolls one prompt out under one schedule after the
/// other, going back to where they part.
class Roller {
public:
  Roller(OpenModel &model, const Calibration &calibration, int32_t prefillBits,
         int32_t threads, const std::vector<int32_t> &stops)
      : calibration(calibration), vocab(model.desc().vocab),
        session(model.createSession(threads)), stops(stops), logits(vocab) {
    check(pmpd_session_set_prefill_bits(session.get(), prefillBits));
    if (calibration.reference)
      reference = calibration.reference->createSession(threads);
  }

  /// The last state under every schedule.
  std::vector<State> roll(const Prompt &given,
                          const std::vector<Levels> &schedules) {
    prompt = &given;
    begin();
    std::vector<State> ends;
    const Levels *before = nullptr;
    for (const Levels &levels : schedules) {
      int shared = 0;
      while (before && shared < calibration.segments.count &&
             (*before)[shared] == levels[shared])
        ++shared;
      run(levels, shared);
      ends.push_back(states.back());
      before = &levels;
    }
    return ends;
  }

private:
  bool isTeacherForced() const { return calibration.metric != Metric::Rouge; }

  void begin() {
    pmpd_session_reset(session.get());
    check(pmpd_prefill(session.get(), prompt->tokens.data(),
                       int64_t(prompt->tokens.size()), 1, logits.data()));
    if (reference)
      readReference();
    states.assign(calibration.segments.count + 1, State());
    take(states[0], 0); // prefill's logits choose token 0
    states[0].held = pmpd_session_tokens(session.get());
  }

  void readReference() {
    std::vector<int32_t> inputs = prompt->tokens;
    inputs.insert(inputs.end(), prompt->answer.begin(),
                  prompt->answer.end() - 1);
    expected.resize(prompt->answer.size() * size_t(vocab));
    pmpd_session_reset(reference.get());
    check(pmpd_prefill(reference.get(), inputs.data(), int64_t(inputs.size()),
                       int64_t(prompt->answer.size()), expected.data()));
  }

  void run(const Levels &levels, int shared) {
    pmpd_session *s = session.get();
    check(pmpd_session_truncate(s, states[shared].held));
    check(pmpd_session_set_scheduler(
        s, calibration.segments.schedule(levels).c_str()));
    for (int k = shared; k < calibration.segments.count; ++k) {
      State state = states[k];
      for (int64_t index = std::max<int64_t>(calibration.segments.start(k), 1);
           index < calibration.segments.start(k + 1) && !state.ended; ++index) {
        const std::vector<int32_t> &fed =
            isTeacherForced() ? prompt->answer : state.tokens;
        check(pmpd_decode(s, fed[index - 1], logits.data(), nullptr));
        take(state, index);
      }
      state.held = pmpd_session_tokens(s);
      states[k + 1] = std::move(state);
    }
  }

  /// Scores or chooses token `index` by the logits at hand.
  void take(State &state, int64_t index) {
    switch (calibration.metric) {
    case Metric::Perplexity:
      state.sum += surprise(logits.data(), vocab, prompt->answer[index]);
      break;
    case Metric::Divergence:
      state.sum += divergence(&expected[index * vocab], logits.data(), vocab);
      break;
    case Metric::Rouge:
      choose(state);
      return;
    }
    state.ended = index + 1 == int64_t(prompt->answer.size());
  }

  void choose(State &state) {
    const int32_t best = likeliest(logits);
    state.ended = std::find(stops.begin(), stops.end(), best) != stops.end();
    if (!state.ended)
      state.tokens.push_back(best);
  }

  const Calibration &calibration;
  int32_t vocab;
  SessionPtr session;
  SessionPtr reference;
  const std::vector<int32_t> &stops;
  std::vector<float> logits;   // [vocab]
  std::vector<float> expected; // [answer, vocab] of the reference
  const Prompt *prompt = nullptr;
  std::vector<State> states; // [segments + 1], at every segment's start
};

/// Loss of prompt `index`, added up over the tokens of its answer.
double lossOf(OpenModel &model, const Calibration &calibration, size_t index,
              const State &end) {
  if (calibration.metric != Metric::Rouge)
    return end.sum;
  std::string text;
  for (int32_t token : end.tokens)
    text += model.tokenizer().decode(token);
  return 1 - rougeL(calibration.targets[index], text);
}

} // namespace

std::vector<double> pmpd::tools::measureLosses(
    OpenModel &model, const Calibration &calibration, int32_t prefillBits,
    const std::vector<Levels> &schedules, Journal *journal) {
  const std::vector<Prompt> &prompts = calibration.prompts;
  const std::vector<int32_t> stops = model.endTokens();
  const Workers workers(model.threads(), prompts.size());
  std::vector<Roller> rollers;
  for (int i = 0; i < workers.count; ++i)
    rollers.emplace_back(model, calibration, prefillBits, workers.threadsPer,
                         stops);
  std::string what = "prompts under " + std::to_string(prefillBits) + "/";
  for (const Levels &levels : schedules)
    what += " " + calibration.segments.schedule(levels);
  auto measured =
      workers.measure(what, prompts.size(), journal, [&](int worker, size_t i) {
        std::vector<double> losses;
        for (const State &end : rollers[worker].roll(prompts[i], schedules))
          losses.push_back(lossOf(model, calibration, i, end));
        return losses;
      });
  double weight = 0; // of prompts or of their tokens
  for (const Prompt &prompt : prompts)
    weight += calibration.metric == Metric::Rouge ? 1 : prompt.answer.size();
  std::vector<double> means(schedules.size());
  // In order, so that sums round alike.
  for (const std::vector<double> &one : measured) {
    JournalReader losses(one);
    for (double &mean : means)
      mean += losses.number() / weight;
  }
  for (size_t i = 0; i < means.size(); ++i) {
    if (calibration.metric == Metric::Perplexity)
      means[i] = std::exp(means[i]);
    if (!std::isfinite(means[i]))
      throw ToolError(model.options().directory +
                      ": expected finite logits under " +
                      calibration.segments.schedule(schedules[i]) +
                      ", but the loss is " + std::to_string(means[i]));
  }
  return means;
}
