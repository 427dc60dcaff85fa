// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/Mapping.h"
#include "runtime/schedulers/Ladder.h"
#include "runtime/schedulers/Registry.h"

#include <algorithm>
#include <cmath>

using namespace pmpd::rt;

namespace {

struct Options {
  BitRange range;
  int64_t tokens = 0; // T; 0 = of the request
};

/// Asks the model's classifiers once per request, one for every adjacent pair
/// of bits, each on its own. Source: arXiv 2410.13461.
class LearnedScheduler : public Scheduler {
public:
  explicit LearnedScheduler(Options options) : options(options) {}

  pmpd_status bind(const Model &model) override {
    const pmpd_model_desc &desc = model.desc();
    if (pmpd_status status = makeLadder(desc, options.range, ladder))
      return status;
    if (ladder.size() < 2)
      return fail(PMPD_BAD_ARGUMENT,
                  "expected at least two decode bits to switch between, but "
                  "got only " +
                      std::to_string(ladder[0]));
    uint64_t bytes = 0;
    for (size_t i = 1; i < ladder.size(); ++i) {
      const pmpd_classifier_desc *classifier =
          find(desc, ladder[i - 1], ladder[i]);
      if (!classifier)
        return fail(PMPD_BAD_ARGUMENT,
                    std::string(desc.name) +
                        ": no learned scheduler was compiled in; recompile "
                        "with --scheduler learned:FILE.onnx");
      classifiers.push_back(classifier);
      bytes = std::max(bytes, classifier->scratch_bytes);
    }
    weights = model.weights();
    lastLayer = desc.layers - 1;
    return Mapping::ofZeros(std::max<uint64_t>(bytes, 1), "scratch memory",
                            scratch);
  }

  pmpd_status begin(const Request &request) override {
    firstLow.assign(classifiers.size(), kNever);
    if (request.count == 0)
      return PMPD_OK; // nothing to read: the highest bits throughout
    pmpd_classifier_args args = {};
    const void *keys, *values;
    if (pmpd_status status =
            pmpd_session_kv(request.session, lastLayer, &keys, &values))
      return status;
    args.weights = weights;
    args.scratch = scratch.data();
    args.keys = static_cast<const uint8_t *>(keys);
    args.values = static_cast<const uint8_t *>(values);
    args.tokens = request.count;
    int64_t tokens = options.tokens ? options.tokens : request.maxTokens;
    for (size_t pair = 0; pair < classifiers.size(); ++pair) {
      const pmpd_classifier_desc &classifier = *classifiers[pair];
      std::vector<float> logits(classifier.classes);
      args.logits = logits.data();
      classifier.entry(&args);
      firstLow[pair] =
          firstLowToken(choose(logits), tokens, classifier.classes);
    }
    return PMPD_OK;
  }

  int32_t pick(const pmpd_step &step) override {
    return bitsUnderPairs(ladder, firstLow, step.index);
  }

private:
  static const pmpd_classifier_desc *find(const pmpd_model_desc &desc,
                                          int32_t from, int32_t to) {
    for (int32_t i = 0; i < desc.classifier_count; ++i)
      if (desc.classifiers[i].from_bits == from &&
          desc.classifiers[i].to_bits == to)
        return &desc.classifiers[i];
    return nullptr;
  }

  /// The most likely class; the one that keeps the higher bits if the logits
  /// say nothing.
  static int32_t choose(const std::vector<float> &logits) {
    if (!std::all_of(logits.begin(), logits.end(),
                     [](float logit) { return std::isfinite(logit); }))
      return int32_t(logits.size()) - 1;
    return int32_t(std::max_element(logits.begin(), logits.end()) -
                   logits.begin());
  }

  Options options;
  Ladder ladder;
  std::vector<const pmpd_classifier_desc *> classifiers; // [ladder - 1]
  std::vector<int64_t> firstLow;                         // [ladder - 1]
  const uint8_t *weights = nullptr;
  int32_t lastLayer = 0;
  Mapping scratch;
};

pmpd_status parseLearned(ScheduleText &text,
                         std::unique_ptr<Scheduler> &policy) {
  Options options;
  if (pmpd_status status = readParameters(
          text, {numberParameter("T", "a number of tokens", options.tokens),
                 numberParameter("from", "bits", options.range.from),
                 numberParameter("to", "bits", options.range.to)}))
    return status;
  policy = std::make_unique<LearnedScheduler>(options);
  return PMPD_OK;
}

} // namespace

const SchedulerKind pmpd::rt::kLearnedKind = {
    {"learned", "learned[:T=TOKENS,from=BITS,to=BITS]",
     "per prompt and adjacent pair of bits, what a network compiled in by "
     "pmpd-compile --scheduler says of it"},
    parseLearned};
