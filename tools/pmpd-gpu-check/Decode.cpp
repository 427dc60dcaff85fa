// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/pmpd-gpu-check/Decode.h"

#include <algorithm>
#include <cmath>

using namespace pmpd::tools;

namespace {

/// Adds the time of every step of a generation to samples.
struct StepTimes {
  pmpd_session *session;
  Samples *times; // or null
  double before = 0;

  double seconds() const {
    pmpd_stats stats;
    pmpd_session_stats(session, &stats);
    return stats.decode_seconds;
  }

  static int onToken(void *user, int64_t index, int32_t, int32_t) {
    auto *self = static_cast<StepTimes *>(user);
    double now = self->seconds();
    if (index > 0 && self->times) // prefill chooses the first
      self->times->add(1e6 * (now - self->before));
    self->before = now;
    return 0;
  }
};

/// Whether the logits of the session's last step are finite: takes it again.
bool isFinite(pmpd_session *session, int32_t token, int32_t vocab) {
  std::vector<float> logits(vocab);
  check(pmpd_session_truncate(session, pmpd_session_tokens(session) - 1));
  check(pmpd_decode(session, token, logits.data(), nullptr));
  return std::all_of(logits.begin(), logits.end(),
                     [](float x) { return std::isfinite(x); });
}

} // namespace

bool pmpd::tools::measureDecode(const DecodeOptions &options,
                                TableWriter &table) {
  ModelArgs args = options.model;
  args.anyContents = true;
  OpenModel model(args);
  SessionPtr session = model.createSession();
  const int32_t vocab = model.desc().vocab;
  if (options.prompt + options.tokens > model.context())
    throw ToolError("expected --pp and --tg of at most " +
                    std::to_string(model.context()) +
                    " together, the context of the model, but got " +
                    std::to_string(options.prompt + options.tokens));
  std::vector<int32_t> prompt(options.prompt), tokens(options.tokens + 1);
  for (size_t i = 0; i < prompt.size(); ++i)
    prompt[i] = int32_t(i * 7919 % vocab);
  bool allFinite = true;
  for (const std::string &schedule : options.schedules) {
    setSchedule(session.get(), schedule);
    Samples times;
    pmpd_stats stats;
    for (bool warm : {false, true}) {
      pmpd_session_reset(session.get());
      StepTimes steps = {session.get(), warm ? &times : nullptr};
      pmpd_generate_options generation = PMPD_GENERATE_OPTIONS_INIT;
      generation.max_tokens = int64_t(tokens.size());
      generation.on_token = StepTimes::onToken;
      generation.user = &steps;
      check(pmpd_generate(session.get(), prompt.data(), options.prompt,
                          &generation, tokens.data(), nullptr));
      pmpd_session_stats(session.get(), &stats);
    }
    double gbps = stats.decode_bytes / stats.decode_seconds / 1e9;
    ReportRow row = {"token", model.desc().name,
                     options.prompt + options.tokens, schedule, times};
    row.gbps = gbps;
    if (options.readGbps > 0)
      row.readShare = gbps / options.readGbps;
    bool finite = isFinite(session.get(), tokens[options.tokens - 1], vocab);
    row.result = finite ? "finite" : "not finite";
    allFinite &= finite;
    addTo(table, row);
  }
  return allFinite;
}
