// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/Digest.h"
#include "runtime/SplitMix.h"
#include "runtime/schedulers/Ladder.h"
#include "runtime/schedulers/Registry.h"

#include <array>
#include <numeric>

using namespace pmpd::rt;

namespace {

struct Options {
  BitRange range;
  uint64_t seed = 0;
  int64_t tokens = 0; // T; 0 = of the request
  std::array<double, kPairClasses> prior = {1, 1, 1, 1};
};

/// A control for learned policies: a class for every pair, drawn blindly.
class RandomScheduler : public Scheduler {
public:
  explicit RandomScheduler(Options options) : options(options) {}

  pmpd_status bind(const Model &model) override {
    return makeLadder(model.desc(), options.range, ladder);
  }

  pmpd_status begin(const Request &request) override {
    // From the prompt rather than from a stream, so that a prompt has the same
    // schedule in whichever order and on whichever session prompts run.
    Digest digest =
        computeDigest(request.tokens, size_t(request.count) * sizeof(int32_t));
    uint64_t state = options.seed;
    for (int byte = 0; byte < 8; ++byte)
      state ^= uint64_t(digest[byte]) << 8 * byte;
    firstLow.clear();
    for (size_t pair = 0; pair + 1 < ladder.size(); ++pair)
      firstLow.push_back(
          firstLowToken(draw(nextUniform(state)),
                        options.tokens ? options.tokens : request.maxTokens));
    return PMPD_OK;
  }

  int32_t pick(const pmpd_step &step) override {
    return bitsUnderPairs(ladder, firstLow, step.index);
  }

private:
  int32_t draw(double uniform) const {
    double rest = uniform * std::accumulate(options.prior.begin(),
                                            options.prior.end(), 0.0);
    int32_t drawn = 0;
    for (int32_t next = 0; next < kPairClasses && rest >= 0; ++next) {
      if (options.prior[next] == 0)
        continue;
      drawn = next;
      rest -= options.prior[next];
    }
    return drawn;
  }

  Options options;
  Ladder ladder;
  std::vector<int64_t> firstLow; // [ladder - 1]
};

pmpd_status readPrior(ScheduleText &text,
                      std::array<double, kPairClasses> &prior) {
  ScheduleText before = text;
  for (int32_t i = 0; i < kPairClasses; ++i) {
    if (i > 0 && !text.skip('/'))
      return text.expected("'/' and another weight");
    if (pmpd_status status = text.number("a weight", prior[i]))
      return status;
  }
  double sum = std::accumulate(prior.begin(), prior.end(), 0.0);
  return sum > 0 && sum <= 1e300 ? PMPD_OK
                                 : before.expected("weights of a finite sum "
                                                   "above 0");
}

pmpd_status parseRandom(ScheduleText &text,
                        std::unique_ptr<Scheduler> &policy) {
  Options options;
  if (pmpd_status status = readParameters(
          text,
          {numberParameter("seed", "a seed", options.seed),
           numberParameter("T", "a number of tokens", options.tokens),
           {"prior",
            [&](ScheduleText &text) { return readPrior(text, options.prior); }},
           numberParameter("from", "bits", options.range.from),
           numberParameter("to", "bits", options.range.to)}))
    return status;
  policy = std::make_unique<RandomScheduler>(options);
  return PMPD_OK;
}

} // namespace

const SchedulerKind pmpd::rt::kRandomKind = {
    {"random", "random[:seed=0,T=TOKENS,prior=A/B/C/D,from=BITS,to=BITS]",
     "per prompt and adjacent pair of bits, keep the higher for 0, T/3 or 2T/3 "
     "tokens or for good, drawn with weights A to D; a control"},
    parseRandom};
