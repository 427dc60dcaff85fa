// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/pmpd-eval/Perplexity.h"

#include <algorithm>
#include <cctype>
#include <cmath>

using namespace pmpd::tools;

namespace {

/// Rows of logits held at once; a window of a large vocabulary would not fit.
constexpr int64_t kLogitRows = 64;

double ratio(double value, int64_t by) { return by > 0 ? value / by : 0; }

/// Negative natural logarithm of the softmax probability of `token`.
double surprise(const float *logits, int32_t vocab, int32_t token) {
  double most = *std::max_element(logits, logits + vocab), sum = 0;
  for (int32_t i = 0; i < vocab; ++i)
    sum += std::exp(logits[i] - most);
  return most + std::log(sum) - logits[token];
}

/// One window: inputs[i] is fed, then inputs[i + 1] is scored.
using Window = std::vector<int32_t>;

std::vector<Window> cutWindows(const EvalText &text) {
  std::vector<Window> windows;
  // The last target of a window is never fed, so it may exceed the context.
  const size_t each = text.window + 1 - text.begin.size();
  for (size_t at = 0; at < text.tokens.size(); at += each) {
    Window window = text.begin;
    size_t end = std::min(at + each, text.tokens.size());
    window.insert(window.end(), text.tokens.begin() + at,
                  text.tokens.begin() + end);
    if (window.size() >= 2)
      windows.push_back(std::move(window));
  }
  return windows;
}

/// Adds up the tokens scored and, for words and bytes, their text.
class Scorer {
public:
  explicit Scorer(OpenModel &model)
      : tokenizer(model.tokenizer()), vocab(model.desc().vocab) {}

  void add(const float *logits, int32_t target, int32_t bits) {
    score.nats += surprise(logits, vocab, target);
    score.bits += bits;
    ++score.tokens;
    for (unsigned char byte : tokenizer.decode(target)) {
      bool space = std::isspace(byte);
      score.words += inSpace && !space;
      inSpace = space;
      ++score.bytes;
    }
  }

  Score score;

private:
  const pmpd::Tokenizer &tokenizer;
  int32_t vocab;
  bool inSpace = true;
};

} // namespace

double Score::perTokenPerplexity() const {
  return std::exp(ratio(nats, tokens));
}
double Score::perWordPerplexity() const { return std::exp(ratio(nats, words)); }
double Score::bitsPerByte() const { return ratio(nats / std::log(2.0), bytes); }
double Score::averageBits() const { return ratio(bits, tokens); }

Score pmpd::tools::scoreByPrefill(OpenModel &model, const EvalText &text,
                                  int32_t bits) {
  SessionPtr session = model.createSession();
  check(pmpd_session_set_prefill_bits(session.get(), bits));
  const int64_t vocab = model.desc().vocab;
  std::vector<float> logits(kLogitRows * vocab);
  Scorer scorer(model);
  for (const Window &window : cutWindows(text)) {
    pmpd_session_reset(session.get());
    const int64_t inputs = int64_t(window.size()) - 1;
    for (int64_t at = 0; at < inputs; at += kLogitRows) {
      int64_t rows = std::min(kLogitRows, inputs - at);
      check(
          pmpd_prefill(session.get(), &window[at], rows, rows, logits.data()));
      for (int64_t row = 0; row < rows; ++row)
        scorer.add(&logits[row * vocab], window[at + row + 1], bits);
    }
  }
  return scorer.score;
}

Score pmpd::tools::scoreByDecode(OpenModel &model, const EvalText &text,
                                 const std::string &schedule) {
  SessionPtr session = model.createSession();
  check(pmpd_session_set_scheduler(session.get(), schedule.c_str()));
  std::vector<float> logits(model.desc().vocab);
  Scorer scorer(model);
  for (const Window &window : cutWindows(text)) {
    pmpd_session_reset(session.get());
    check(pmpd_prefill(session.get(), window.data(), 1, 1, logits.data()));
    pmpd_stats stats;
    pmpd_session_stats(session.get(), &stats);
    scorer.add(logits.data(), window[1], stats.prefill_bits);
    for (size_t at = 1; at + 1 < window.size(); ++at) {
      int32_t bits = 0;
      check(pmpd_decode(session.get(), window[at], logits.data(), &bits));
      scorer.add(logits.data(), window[at + 1], bits);
    }
  }
  return scorer.score;
}
