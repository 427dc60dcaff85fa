// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/pmpd-tune/SchedulerData.h"

using namespace pmpd::tools;

int main(int argc, char **argv) {
  CLI::App app("Finds out which precisions a compiled model can do with.",
               "pmpd-tune");
  ModelArgs modelArgs;
  SchedulerDataArgs args;
  std::string reference;
  modelArgs.addTo(app);
  bool schedulerData = false;
  app.add_flag("--scheduler-data", schedulerData,
               "write what a learned scheduler is trained on")
      ->required();
  app.add_option("--reference", reference,
                 "the same model compiled with --bits 32 or 16, whose answers "
                 "are the right ones")
      ->required()
      ->type_name("DIR");
  app.add_option("--data", args.text, "text to cut prompts from")
      ->required()
      ->type_name("FILE");
  app.add_option("-o,--output", args.output,
                 "file of samples; one that was not finished is continued")
      ->required()
      ->type_name("FILE");
  app.add_option("--samples", args.samples, "number of samples")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--prompt-tokens", args.prompt, "most tokens of a prompt")
      ->check(CLI::Range(2, 1 << 30))
      ->capture_default_str();
  app.add_option("--new-tokens", args.tokens, "tokens of an answer")
      ->check(CLI::Range(3, 1 << 30))
      ->capture_default_str();
  app.add_option("--seed", args.seed, "of the cuts")
      ->check(countValidator())
      ->capture_default_str();
  return runTool(app, argc, argv, [&] {
    OpenModel model(modelArgs);
    OpenModel referenceModel = openReference(reference, model);
    writeSchedulerData(model, referenceModel, args);
    return 0;
  });
}
