// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/pmpd-gpu-check/Decode.h"

#include <cmath>

using namespace pmpd::tools;

bool pmpd::tools::measureDecode(const DecodeOptions &options,
                                TableWriter &table) {
  ModelArgs args = options.model;
  args.anyContents = true;
  OpenModel model(args);
  SessionPtr session = model.createSession();
  const int32_t vocab = model.desc().vocab;
  std::vector<int32_t> tokens(options.prompt + options.tokens);
  for (size_t i = 0; i < tokens.size(); ++i)
    tokens[i] = int32_t(i * 7919 % vocab);
  std::vector<float> logits(vocab);
  auto seconds = [&] {
    pmpd_stats stats;
    pmpd_session_stats(session.get(), &stats);
    return stats.decode_seconds;
  };
  bool allFinite = true;
  for (const std::string &schedule : options.schedules) {
    setSchedule(session.get(), schedule);
    Samples times;
    pmpd_stats stats;
    for (bool warm : {false, true}) {
      pmpd_session_reset(session.get());
      check(pmpd_prefill(session.get(), tokens.data(), options.prompt, 1,
                         logits.data()));
      for (int64_t i = options.prompt; i < int64_t(tokens.size()); ++i) {
        double before = seconds();
        check(pmpd_decode(session.get(), tokens[i], logits.data(), nullptr));
        if (warm)
          times.add(1e6 * (seconds() - before));
      }
      pmpd_session_stats(session.get(), &stats);
    }
    double gbps = stats.decode_bytes / stats.decode_seconds / 1e9;
    ReportRow row = {"token", model.desc().name,
                     options.prompt + options.tokens, schedule, times};
    row.gbps = gbps;
    if (options.readGbps > 0)
      row.readShare = gbps / options.readGbps;
    bool finite = std::all_of(logits.begin(), logits.end(),
                              [](float x) { return std::isfinite(x); });
    row.result = finite ? "finite" : "not finite";
    allFinite &= finite;
    addTo(table, row);
  }
  return allFinite;
}
