// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/pmpd-gpu-check/Compare.h"

#include <cmath>

using namespace pmpd::tools;

namespace {

double largestDifference(const std::vector<float> &a,
                         const std::vector<float> &b) {
  double worst = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    double difference = std::fabs(double(a[i]) - b[i]);
    worst = std::max(worst, std::isnan(difference) ? INFINITY : difference);
  }
  return worst;
}

/// One of both models, with a session.
struct Side {
  OpenModel model;
  SessionPtr session;

  explicit Side(const ModelArgs &args)
      : model(args), session(model.createSession()) {}

  std::vector<float> prefill(const std::vector<int32_t> &tokens, int32_t bits) {
    pmpd_session_reset(session.get());
    check(pmpd_session_set_prefill_bits(session.get(), bits));
    std::vector<float> logits(tokens.size() * model.desc().vocab);
    check(pmpd_prefill(session.get(), tokens.data(), int64_t(tokens.size()),
                       int64_t(tokens.size()), logits.data()));
    return logits;
  }

  std::vector<float> decode(int32_t token) {
    std::vector<float> logits(model.desc().vocab);
    check(pmpd_decode(session.get(), token, logits.data(), nullptr));
    return logits;
  }

  std::vector<int32_t> generate(const std::vector<int32_t> &prompt,
                                int64_t count,
                                pmpd_sampling sampling = {0, 0, 1, 0}) {
    pmpd_session_reset(session.get());
    pmpd_generate_options options = PMPD_GENERATE_OPTIONS_INIT;
    options.max_tokens = count;
    options.sampling = sampling;
    std::vector<int32_t> tokens(count);
    int64_t made = 0;
    check(pmpd_generate(session.get(), prompt.data(), int64_t(prompt.size()),
                        &options, tokens.data(), &made));
    tokens.resize(made);
    return tokens;
  }
};

/// Most of the differences of a step each, given the tokens that the reference
/// chooses.
double compareDecode(Side &side, Side &reference,
                     const std::vector<int32_t> &prompt, int32_t bits,
                     int64_t steps) {
  std::string schedule = std::to_string(bits) + "@0";
  for (Side *each : {&side, &reference})
    check(pmpd_session_set_scheduler(each->session.get(), schedule.c_str()));
  int32_t high = side.model.bits(PMPD_PREFILL).front();
  side.prefill(prompt, high);
  std::vector<float> expected = reference.prefill(prompt, high);
  expected.erase(expected.begin(),
                 expected.end() - reference.model.desc().vocab);
  double worst = 0;
  for (int64_t i = 0; i < steps; ++i) {
    int32_t token = likeliest(expected);
    expected = reference.decode(token);
    worst = std::max(worst, largestDifference(side.decode(token), expected));
  }
  return worst;
}

/// Whether the GPU draws the tokens at `bits` that the host draws from its
/// logits, which a schedule by callback has copied.
bool drawsAsHost(Side &side, const std::vector<int32_t> &prompt, int32_t bits,
                 int64_t steps) {
  constexpr pmpd_sampling samplings[] = {
      {1, 0, 1, 1}, {1, 40, .9f, 2}, {1, 0, .9f, 3}};
  auto sameBits = [](void *user, const pmpd_step *) {
    return *static_cast<int32_t *>(user);
  };
  pmpd_session *session = side.session.get();
  bool right = true;
  for (const pmpd_sampling &sampling : samplings) {
    check(pmpd_session_set_callback(session, sameBits, &bits));
    std::vector<int32_t> expected = side.generate(prompt, steps, sampling);
    setSchedule(session, std::to_string(bits) + "@0");
    right &= side.generate(prompt, steps, sampling) == expected;
  }
  return right;
}

} // namespace

bool pmpd::tools::compareModels(const CompareOptions &options,
                                TableWriter &table) {
  Side side(options.model);
  ModelArgs args = options.model;
  args.directory = options.reference;
  Side reference(args);
  std::vector<int32_t> prompt = side.model.beginTokens();
  for (int32_t token : side.model.tokenizer().encode(options.prompt))
    prompt.push_back(token);
  int64_t steps = std::min<int64_t>(options.tokens, side.model.context() -
                                                        int64_t(prompt.size()));
  bool right = true;
  auto add = [&](const char *what, const std::string &bits, int64_t tokens,
                 Cell difference, bool good) {
    ReportRow row = {what, side.model.desc().name, tokens, bits};
    row.difference = difference;
    row.result = good ? "right" : "wrong";
    addTo(table, row);
    right &= good;
  };
  for (int32_t bits : side.model.bits(PMPD_PREFILL)) {
    double worst = largestDifference(side.prefill(prompt, bits),
                                     reference.prefill(prompt, bits));
    add("prefill", std::to_string(bits), int64_t(prompt.size()), worst,
        worst <= options.tolerance);
  }
  for (int32_t bits : side.model.bits(PMPD_DECODE)) {
    double worst = compareDecode(side, reference, prompt, bits, steps);
    add("decode", std::to_string(bits), steps, worst,
        worst <= options.tolerance);
  }
  for (Side *each : {&side, &reference})
    setSchedule(each->session.get(),
                options.schedule.empty()
                    ? std::to_string(side.model.bits(PMPD_DECODE).front()) +
                          "@0"
                    : options.schedule);
  std::vector<int32_t> text = side.generate(prompt, steps);
  add("text", options.schedule, steps, {},
      text == reference.generate(prompt, steps));
  // Few tokens are enough, and quick under a sanitizer.
  constexpr int64_t drawn = 3;
  prompt.resize(std::min<size_t>(prompt.size(), drawn));
  int32_t high = side.model.bits(PMPD_DECODE).front();
  add("draws", std::to_string(high), drawn, {},
      drawsAsHost(side, prompt, high, drawn));
  return right;
}
