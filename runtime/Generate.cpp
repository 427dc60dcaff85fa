// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/Sampling.h"
#include "runtime/Session.h"
#include "runtime/SplitMix.h"
#include "runtime/Timer.h"

#include <algorithm>

using namespace pmpd::rt;

namespace {

pmpd_status checkOptions(const pmpd_generate_options &options) {
  if (options.max_tokens < 0)
    return fail(PMPD_BAD_ARGUMENT,
                "expected max_tokens of at least 0, but got " +
                    std::to_string(options.max_tokens));
  if (options.stop_count > 0 && !options.stop_tokens)
    return fail(PMPD_BAD_ARGUMENT, "expected stop tokens, but got NULL");
  return checkSampling(options.sampling);
}

bool isStop(const pmpd_generate_options &options, int32_t token) {
  const int32_t *end = options.stop_tokens + options.stop_count;
  return std::find(options.stop_tokens, end, token) != end;
}

/// Hands a token out; false if the caller wants no more.
bool emit(const pmpd_generate_options &options, int64_t index, int32_t token,
          int32_t bits, int32_t *tokens) {
  if (tokens)
    tokens[index] = token;
  return !options.on_token ||
         options.on_token(options.user, index, token, bits) == 0;
}

/// Runs the steps of a request and chooses a token after each: on the target
/// where it can, else here.
class Steps {
public:
  Steps(Session &session, const pmpd_sampling &sampling)
      : session(session), sampling(sampling), state(sampling.seed) {}

  pmpd_status prefill(const int32_t *prompt, int64_t count, int32_t &next) {
    auto step = [&](TokenChoice *choice) {
      return session.prefill(prompt, count, 1, session.logitBuffer(), choice);
    };
    return run(step, next);
  }

  pmpd_status decode(int32_t token, int32_t &next) {
    auto step = [&](TokenChoice *choice) {
      return session.decode(token, nullptr, choice);
    };
    return run(step, next);
  }

private:
  template <typename Step> pmpd_status run(Step step, int32_t &next) {
    if (!session.canChoose()) {
      if (pmpd_status status = step(nullptr))
        return status;
      return sampler.pick(session.logits(), session.desc().vocab, sampling,
                          state, next);
    }
    TokenChoice choice = {sampling, 0, -1};
    if (sampling.temperature > 0)
      choice.uniform = nextUniform(state);
    if (pmpd_status status = step(&choice))
      return status;
    next = choice.token;
    return next < 0 ? failNoFiniteLogit() : PMPD_OK;
  }

  Session &session;
  const pmpd_sampling &sampling;
  Sampler sampler;
  uint64_t state;
};

pmpd_status generate(Session &session, const int32_t *prompt,
                     int64_t promptCount, const pmpd_generate_options &options,
                     int32_t *tokens, int64_t &count) {
  if (options.max_tokens == 0)
    return session.prefill(prompt, promptCount, 1, session.logitBuffer());
  Timer timer;
  Steps steps(session, options.sampling);
  int32_t token = 0;
  if (pmpd_status status = steps.prefill(prompt, promptCount, token))
    return status;
  session.setMaxTokens(options.max_tokens);
  session.setFirstTokenSeconds(timer.seconds());
  while (!isStop(options, token)) {
    bool goOn = emit(options, count, token, session.lastBits(), tokens);
    ++count;
    // The last token needs no step of its own: nobody asks for its logits.
    if (!goOn || count == options.max_tokens ||
        session.tokens() == session.context())
      break;
    if (session.isCancelled())
      return fail(PMPD_CANCELLED, "cancelled");
    if (pmpd_status status = steps.decode(token, token))
      return status;
  }
  return PMPD_OK;
}

} // namespace

pmpd_status pmpd_generate(pmpd_session *session, const int32_t *prompt,
                          int64_t promptCount,
                          const pmpd_generate_options *given, int32_t *tokens,
                          int64_t *count) {
  return guard([&] {
    int64_t unused = 0;
    int64_t &produced = count ? *count : unused;
    produced = 0;
    if (!session)
      return fail(PMPD_BAD_ARGUMENT, "expected a session, but got NULL");
    pmpd_generate_options options = PMPD_GENERATE_OPTIONS_INIT;
    if (pmpd_status status = readOptions(given, options))
      return status;
    if (pmpd_status status = checkOptions(options))
      return status;
    session->clearCancel();
    return generate(*session, prompt, promptCount, options, tokens, produced);
  });
}
