// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/pmpd-tune/Quality.h"
#include "test/runtime/Fixture.h"
#include "tools/evaluation/Rouge.h"

#include <cmath>

using namespace pmpd::test;
using namespace pmpd::tools;

namespace {

constexpr int64_t kTokens = 12;

std::string decode(int32_t token) { // as the fake tokenizer does
  return token == 1                ? " "
         : token == 2              ? "\n"
         : token > 2 && token < 29 ? std::string(1, char('a' + token - 3))
                                   : "";
}

double logSum(const std::vector<float> &logits) {
  double sum = 0;
  for (float logit : logits)
    sum += std::exp(double(logit));
  return std::log(sum);
}

class QualityTest : public ::testing::Test {
protected:
  QualityTest() {
    writeFakeDirectory(dir);
    dir.write("text.txt", std::string("the quick brown fox jumps over the lazy "
                                      "dog again and again until it is late"));
  }

  Calibration calibrate(OpenModel &model, Metric metric) {
    PromptArgs args;
    args.file = dir.path("text.txt");
    args.promptTokens = 9;
    args.newTokens = kTokens;
    Calibration calibration;
    calibration.prompts = readPrompts(args, model);
    EXPECT_EQ(calibration.prompts.size(), 3u);
    calibration.metric = metric;
    calibration.segments = {kTokens, 3};
    calibration.reference = metric == Metric::Divergence ? &model : nullptr;
    for (const Prompt &prompt : calibration.prompts)
      calibration.targets.push_back(prompt.reference);
    return calibration;
  }

  ModelArgs options(int32_t threads) {
    ModelArgs args;
    args.directory = dir.path();
    args.threads = threads;
    return args;
  }

  std::vector<double> measure(Metric metric, int32_t threads,
                              const std::vector<Levels> &schedules) {
    OpenModel model(options(threads));
    return measureLosses(model, calibrate(model, metric), 3, schedules,
                         nullptr);
  }

  TempDir dir;
};

/// Every step alone, without going back: what the losses should be.
double expectedLoss(const Calibration &calibration, const Levels &levels) {
  double sum = 0;
  for (size_t i = 0; i < calibration.prompts.size(); ++i) {
    const Prompt &prompt = calibration.prompts[i];
    Reference model, reference;
    std::vector<float> logits = model.run(PMPD_PREFILL, 3, prompt.tokens),
                       expected = reference.run(PMPD_PREFILL, 4, prompt.tokens);
    std::string answer;
    for (int64_t index = 0;; ++index) {
      int32_t next = prompt.answer[index];
      if (calibration.metric == Metric::Perplexity)
        sum += logSum(logits) - logits[next];
      if (calibration.metric == Metric::Divergence)
        for (int32_t token = 0; token < kVocab; ++token) {
          double p = std::exp(expected[token] - logSum(expected));
          sum += p * (std::log(p) - logits[token] + logSum(logits));
        }
      if (calibration.metric == Metric::Rouge) {
        next = argmax(logits);
        if (next == 0) // <|endoftext|>
          break;
        answer += decode(next);
      }
      if (index + 1 == kTokens)
        break;
      int32_t bits = levels[(index + 1) / (kTokens / 3)];
      logits = model.run(PMPD_DECODE, bits, {next});
      expected = reference.run(PMPD_PREFILL, 4, {next});
    }
    if (calibration.metric == Metric::Rouge)
      sum += 1 - rougeL(calibration.targets[i], answer);
  }
  double count = double(calibration.prompts.size());
  if (calibration.metric == Metric::Rouge)
    return sum / count;
  sum /= count * double(kTokens);
  return calibration.metric == Metric::Perplexity ? std::exp(sum) : sum;
}

} // namespace

TEST_F(QualityTest, is_that_of_every_schedule_run_alone) {
  const std::vector<Levels> schedules = nonIncreasing({4, 3, 2}, 3);
  for (Metric metric :
       {Metric::Perplexity, Metric::Divergence, Metric::Rouge}) {
    std::vector<double> losses = measure(metric, 1, schedules);
    OpenModel model(options(1));
    Calibration calibration = calibrate(model, metric);
    ASSERT_EQ(losses.size(), schedules.size());
    for (size_t i = 0; i < schedules.size(); ++i)
      EXPECT_NEAR(losses[i], expectedLoss(calibration, schedules[i]), 1e-6)
          << nameOf(metric) << " "
          << calibration.segments.schedule(schedules[i]);
  }
}

TEST_F(QualityTest, does_not_depend_on_threads_or_on_the_order) {
  std::vector<Levels> schedules = nonIncreasing({4, 3, 2}, 3);
  for (Metric metric :
       {Metric::Perplexity, Metric::Divergence, Metric::Rouge}) {
    std::vector<double> losses = measure(metric, 1, schedules);
    EXPECT_EQ(measure(metric, 3, schedules), losses);
    std::vector<Levels> turned(schedules.rbegin(), schedules.rend());
    std::vector<double> found = measure(metric, 1, turned);
    EXPECT_EQ(std::vector<double>(found.rbegin(), found.rend()), losses);
  }
}

TEST_F(QualityTest, goes_on_with_the_journal) {
  OpenModel model(options(1));
  Calibration calibration = calibrate(model, Metric::Rouge);
  const std::vector<Levels> schedules = {{4, 4, 4}, {4, 4, 2}};
  Journal journal(dir.path("journal"), "{}");
  auto measure = [&] {
    return measureLosses(model, calibration, 4, schedules, &journal);
  };
  std::vector<double> losses = measure();
  EXPECT_EQ(journal.count(), 3u);
  EXPECT_EQ(measure(), losses);
  EXPECT_EQ(journal.count(), 3u);
}
