// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/pmpd-tune/SchedulerData.h"
#include "tools/pmpd-tune/Tune.h"

#include <cmath>
#include <optional>

using namespace pmpd::tools;

namespace {

struct Args {
  ModelArgs model;
  std::string reference;
  TuneArgs tune;
  bool schedulerData = false;
  SchedulerDataArgs samples;

  void addTo(CLI::App &app);
  void finish(const CLI::App &app);
};

/// Accepts finite numbers of at least 0.
CLI::Validator dropValidator() {
  return CLI::Validator(
      [](const std::string &text) -> std::string {
        double value = 0;
        if (CLI::detail::lexical_cast(text, value) && std::isfinite(value) &&
            value >= 0)
          return "";
        return "expected a number of at least 0, but got " + text;
      },
      "");
}

void Args::addTo(CLI::App &app) {
  model.addTo(app);
  tune.prompts.addTo(app, "--data")->required();
  app.add_option("--reference", reference,
                 "the same model compiled with --bits 32 or 16: what kl is "
                 "measured against, and whose answers are rouge's targets")
      ->type_name("DIR");
  app.add_option("-o,--output", tune.output,
                 "schedule file, *.json; a table *.csv and a plot *.svg are "
                 "put beside it. With --scheduler-data, the file of samples")
      ->required()
      ->type_name("FILE");
  app.add_option("--metric", tune.metric, "ppl, kl or rouge")
      ->transform(oneOf(metricNames()))
      ->type_name("NAME")
      ->default_str(nameOf(tune.metric));
  app.add_option("--max-drop", tune.maxDrop,
                 "how much worse than the highest bits a schedule may be: the "
                 "share by which ppl rises, nats of kl, or ROUGE-L lost")
      ->check(dropValidator())
      ->type_name("X");
  app.add_option("--segments", tune.segments,
                 "equal parts of the new tokens between which bits may fall")
      ->capture_default_str()
      ->check(wholeNumber(1, 1 << 20))
      ->type_name("N");
  app.add_option("--exhaustive", tune.exhaustive,
                 "try all schedules if there are at most so many, else leave "
                 "out those that others decide")
      ->capture_default_str()
      ->check(wholeNumber())
      ->type_name("N");
  app.add_flag("--scheduler-data", schedulerData,
               "instead, write what a learned scheduler is trained on; --data "
               "is a text, of which each sample has up to --prompt-tokens "
               "(default 128)");
  app.add_option("--samples", samples.samples, "number of samples")
      ->check(wholeNumber(1))
      ->capture_default_str();
  app.add_option("--seed", samples.seed, "of the samples' cuts")
      ->check(wholeNumber())
      ->capture_default_str();
}

/// Checks what the options are together, and hands the shared ones on.
void Args::finish(const CLI::App &app) {
  if (!schedulerData) {
    if (!app.count("--max-drop"))
      throw CLI::RequiredError("--max-drop");
    if (tune.metric == Metric::Divergence && reference.empty())
      throw CLI::RequiresError("--metric kl", "--reference");
    if (!isScheduleFile(tune.output))
      throw CLI::ValidationError("--output", "expected a name that ends in "
                                             ".json, but got " +
                                                 tune.output);
    return;
  }
  if (reference.empty())
    throw CLI::RequiresError("--scheduler-data", "--reference");
  samples.text = tune.prompts.file;
  samples.output = tune.output;
  samples.tokens = tune.prompts.newTokens;
  if (app.count("--prompt-tokens"))
    samples.prompt = tune.prompts.promptTokens;
  if (samples.prompt < 2 || samples.tokens < 3)
    throw CLI::ValidationError(
        "--scheduler-data",
        "expected --prompt-tokens of at least 2 and --new-tokens of at least "
        "3, but got " +
            std::to_string(samples.prompt) + " and " +
            std::to_string(samples.tokens));
}

int run(const Args &args) {
  OpenModel model(args.model);
  std::optional<OpenModel> reference;
  if (!args.reference.empty())
    reference.emplace(openReference(args.reference, model));
  if (args.schedulerData)
    writeSchedulerData(model, *reference, args.samples);
  else
    tune(model, reference ? &*reference : nullptr, args.tune);
  return 0;
}

} // namespace

int main(int argc, char **argv) {
  CLI::App app("Searches the schedule with the fewest bits that keeps a "
               "model's quality.",
               "pmpd-tune");
  Args args;
  args.addTo(app);
  return runTool(app, argc, argv, [&] {
    args.model.requireResults();
    args.finish(app);
    return run(args);
  });
}
