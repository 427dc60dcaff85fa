// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/schedulers/Ladder.h"
#include "runtime/schedulers/Registry.h"

#include <algorithm>
#include <cmath>

using namespace pmpd::rt;

namespace {

struct Options {
  BitRange range;
  int32_t tokens = 10; // observed at every precision before it may be left
  double sigma = 1;
};

/// Goes one precision down when a token is more certain than the first tokens
/// at the present one were.
class ConfidenceScheduler : public Scheduler {
public:
  explicit ConfidenceScheduler(Options options) : options(options) {}

  pmpd_status bind(const Model &model) override {
    return makeLadder(model.desc(), options.range, ladder);
  }

  pmpd_status begin(const Request &) override {
    states.clear();
    return PMPD_OK;
  }

  int32_t pick(const pmpd_step &step) override {
    State state = states.empty() ? State() : states.back();
    state.index = step.index;
    bool last = state.rung + 1 == ladder.size();
    // Prefill's logits count only if it ran at these bits.
    if (!last && step.logits && step.bits == ladder[state.rung])
      observe(state, certainty(step.logits, step.vocab));
    states.push_back(state);
    return ladder[state.rung];
  }

  bool readsLogits() const override { return true; }

  void rewind(int64_t index) override {
    while (!states.empty() && states.back().index >= index)
      states.pop_back();
  }

private:
  /// After one pick. All are kept, so that a rewind needs no recomputation.
  struct State {
    int64_t index = 0;
    size_t rung = 0;
    int32_t count = 0; // tokens observed on this rung
    double mean = 0;
    double squares = 0; // sum of squared distances from the mean
  };

  /// Probability of the likeliest token.
  static double certainty(const float *logits, int32_t vocab) {
    double most = *std::max_element(logits, logits + vocab), sum = 0;
    for (int32_t i = 0; i < vocab; ++i)
      sum += std::exp(logits[i] - most);
    return 1 / sum;
  }

  void observe(State &state, double value) const {
    if (state.count < options.tokens) { // Welford's update
      double above = value - state.mean;
      state.mean += above / ++state.count;
      state.squares += above * (value - state.mean);
      return;
    }
    double deviation = std::sqrt(state.squares / state.count);
    if (value > state.mean + options.sigma * deviation) {
      size_t next = state.rung + 1;
      int64_t index = state.index;
      state = State();
      state.index = index;
      state.rung = next;
    }
  }

  Options options;
  Ladder ladder;
  std::vector<State> states;
};

pmpd_status parseConfidence(ScheduleText &text,
                            std::unique_ptr<Scheduler> &policy) {
  Options options;
  if (pmpd_status status = readParameters(
          text, {{"tokens",
                  [&](ScheduleText &text) {
                    ScheduleText before = text;
                    if (pmpd_status status =
                            text.number("a number of tokens", options.tokens))
                      return status;
                    return options.tokens > 0
                               ? PMPD_OK
                               : before.expected("at least one token");
                  }},
                 numberParameter("sigma", "a number of standard deviations",
                                 options.sigma),
                 numberParameter("from", "bits", options.range.from),
                 numberParameter("to", "bits", options.range.to)}))
    return status;
  policy = std::make_unique<ConfidenceScheduler>(options);
  return PMPD_OK;
}

} // namespace

const SchedulerKind pmpd::rt::kConfidenceKind = {
    {"confidence", "confidence[:tokens=10,sigma=1,from=BITS,to=BITS]",
     "one precision down when the likeliest token's probability exceeds the "
     "mean of the first tokens at this precision by sigma standard deviations"},
    parseConfidence};
