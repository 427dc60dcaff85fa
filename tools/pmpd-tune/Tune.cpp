// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/pmpd-tune/Tune.h"

#include "tools/evaluation/Answers.h"
#include "tools/pmpd-tune/Quality.h"
#include "tools/pmpd-tune/Report.h"

#include <iostream>
#include <nlohmann/json.hpp>

using namespace pmpd::tools;

namespace {

const std::string kEnding = ".json";

/// Schedules that a search holds at once.
constexpr size_t kMostSchedules = 200000;

Calibration readCalibration(OpenModel &model, OpenModel *reference,
                            const TuneArgs &args) {
  Calibration calibration;
  calibration.metric = args.metric;
  calibration.segments = {args.prompts.newTokens, args.segments};
  calibration.prompts = readPrompts(args.prompts, model);
  calibration.reference =
      args.metric == Metric::Divergence ? reference : nullptr;
  if (args.metric == Metric::Rouge && reference) {
    for (const Answer &answer : writeReferenceAnswers(
             *reference, calibration.prompts, args.prompts.newTokens, nullptr))
      calibration.targets.push_back(answer.text);
    return calibration;
  }
  for (size_t i = 0; i < calibration.prompts.size(); ++i) {
    const Prompt &prompt = calibration.prompts[i];
    if (prompt.answer.empty())
      throw ToolError(args.prompts.file +
                      ": expected a reference for every prompt, but prompt " +
                      std::to_string(i + 1) + " has none" +
                      (args.metric == Metric::Rouge
                           ? "; add them, or give --reference"
                           : ""));
    calibration.targets.push_back(prompt.reference);
  }
  return calibration;
}

SearchSpace makeSpace(const OpenModel &model, const TuneArgs &args) {
  SearchSpace space = {model.bits(PMPD_PREFILL),
                       model.bits(PMPD_DECODE),
                       {args.prompts.newTokens, args.segments},
                       size_t(args.exhaustive)};
  if (args.segments > args.prompts.newTokens)
    throw ToolError("expected at most one segment per token, but got " +
                    std::to_string(args.segments) + " for " +
                    std::to_string(args.prompts.newTokens) +
                    " tokens; lower --segments");
  if (space.decode.size() < 2)
    throw ToolError(model.options().directory +
                    ": expected at least two decode precisions to choose "
                    "from, but it has one; recompile with more --decode-bits");
  if (countNonIncreasing(space.decode.size(), args.segments, kMostSchedules) ==
      kMostSchedules)
    throw ToolError("expected fewer than " + std::to_string(kMostSchedules) +
                    " schedules of " + std::to_string(args.segments) +
                    " segments; lower --segments");
  return space;
}

/// What losses depend on, on one line.
std::string describe(const OpenModel &model, const OpenModel *reference,
                     const Calibration &calibration) {
  std::string words;
  for (size_t i = 0; i < calibration.prompts.size(); ++i) {
    for (const auto *part :
         {&calibration.prompts[i].tokens, &calibration.prompts[i].answer})
      for (int32_t token : *part)
        words += std::to_string(token) + " ";
    words += calibration.targets[i] + "\n";
  }
  return nlohmann::json({{"model", model.digest()},
                         {"reference", reference ? reference->digest() : ""},
                         {"metric", nameOf(calibration.metric)},
                         {"new_tokens", calibration.segments.tokens},
                         {"segments", calibration.segments.count},
                         {"prompts", std::hash<std::string>()(words)}})
      .dump();
}

std::string toScheduleFile(const TuneReport &report, const TuneArgs &args,
                           size_t prompts) {
  const SearchResult &search = report.search;
  nlohmann::ordered_json json = {
      {"format", "pmpd-schedule"},
      {"version", 1},
      {"schedule", report.schedule(search.best)},
      {"average_bits", search.best.averageBits},
      {"metric", nameOf(args.metric)},
      {"value", report.value(search.best.loss)},
      {"highest_bits_value", report.value(search.baseline.loss)},
      {"max_drop", args.maxDrop},
      {"pair", report.schedule(search.pair)},
      {"new_tokens", args.prompts.newTokens},
      {"prompts", prompts}};
  return json.dump(2) + "\n";
}

/// The output's name with another ending.
std::string beside(const std::string &output, const char *ending) {
  return output.substr(0, output.size() - kEnding.size()) + ending;
}

} // namespace

bool pmpd::tools::isScheduleFile(const std::string &path) {
  return path.size() > kEnding.size() &&
         path.compare(path.size() - kEnding.size(), kEnding.size(), kEnding) ==
             0;
}

void pmpd::tools::tune(OpenModel &model, OpenModel *reference,
                       const TuneArgs &args) {
  const SearchSpace space = makeSpace(model, args);
  const Calibration calibration = readCalibration(model, reference, args);
  Journal journal(beside(args.output, ".journal"),
                  describe(model, reference, calibration));
  auto limit = [&](double loss) {
    return mostLoss(args.metric, loss, args.maxDrop);
  };
  auto evaluate = [&](int32_t prefillBits,
                      const std::vector<Levels> &schedules) {
    return measureLosses(model, calibration, prefillBits, schedules, &journal);
  };
  const TuneReport report = {searchSchedules(space, limit, evaluate),
                             space.segments, args.metric};
  writeText(beside(args.output, ".csv"), toCsv(report));
  writeText(beside(args.output, ".svg"), toSvg(report));
  writeText(args.output,
            toScheduleFile(report, args, calibration.prompts.size()));
  journal.finish();
  printFront(std::cout, report);
}
