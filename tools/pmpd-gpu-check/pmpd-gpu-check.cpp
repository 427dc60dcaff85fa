// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/pmpd-gpu-check/Compare.h"
#include "tools/pmpd-gpu-check/Decode.h"
#include "tools/pmpd-gpu-check/Linear.h"
#include "tools/pmpd-gpu-check/WeightHead.h"

#include <iostream>

using namespace pmpd::tools;

namespace {

void addMeasurement(CLI::App &app, LinearOptions &options) {
  app.add_option("--megabytes", options.megabytes,
                 "to read before the first comes again")
      ->capture_default_str()
      ->check(wholeNumber())
      ->type_name("N");
  app.add_option("--replays", options.replays, "measurements of each")
      ->capture_default_str()
      ->check(CLI::Range(1, 100000))
      ->type_name("N");
}

CLI::App *addLinear(CLI::App &app, LinearOptions &options) {
  CLI::App *sub = app.add_subcommand(
      "linear", "time of linear layers beside reads of as many bytes and "
                "cuBLAS on fp16; results against fp64");
  sub->add_option("-k,--kernels", options.kernels,
                  "directory that pmpd-bench gpu-kernels wrote")
      ->required()
      ->type_name("DIR");
  sub->add_option("--gpu", options.gpu, "which GPU")
      ->check(wholeNumber())
      ->type_name("N");
  addMeasurement(*sub, options);
  sub->add_flag("!--no-cublas", options.cublas, "compare with reads alone");
  return sub;
}

CLI::App *addCompare(CLI::App &app, CompareOptions &options) {
  CLI::App *sub = app.add_subcommand(
      "compare", "logits and greedy text of a model against the same one on "
                 "the CPU");
  options.model.addTo(*sub);
  sub->add_option("--reference", options.reference,
                  "the model compiled for the CPU, with --activations q16")
      ->required()
      ->type_name("DIR");
  sub->add_option("-p,--prompt", options.prompt, "text to go on from")
      ->required();
  sub->add_option("-n,--tokens", options.tokens, "steps after it")
      ->capture_default_str()
      ->check(wholeNumber())
      ->type_name("N");
  sub->add_option("--tolerance", options.tolerance,
                  "largest difference of logits")
      ->capture_default_str()
      ->type_name("X");
  addScheduleOption(*sub, [&options](std::string given) {
    options.schedule = std::move(given);
  });
  return sub;
}

CLI::App *addDecode(CLI::App &app, DecodeOptions &options,
                    LinearOptions &read) {
  CLI::App *sub = app.add_subcommand("decode", "time of whole tokens");
  options.model.addTo(*sub);
  sub->add_option("--pp", options.prompt, "tokens of the prompt")
      ->capture_default_str()
      ->check(wholeNumber(1))
      ->type_name("N");
  sub->add_option("--tg", options.tokens, "tokens to decode after it")
      ->capture_default_str()
      ->check(wholeNumber(1))
      ->type_name("N");
  sub->add_option("-k,--kernels", read.kernels,
                  "directory that pmpd-bench gpu-kernels wrote, to compare "
                  "with a plain read")
      ->type_name("DIR");
  read.megabytes = 1000;
  read.replays = 20;
  addMeasurement(*sub, read);
  addScheduleOption(*sub,
                    [&options](std::string given) {
                      options.schedules.push_back(std::move(given));
                    })
      ->required()
      ->trigger_on_parse();
  return sub;
}

/// A subcommand with two files.
CLI::App *addFiles(CLI::App &app, const char *name, const char *text,
                   std::string &from, std::string &to) {
  CLI::App *sub = app.add_subcommand(name, text);
  sub->add_option("FROM", from)->required();
  sub->add_option("TO", to)->required();
  return sub;
}

} // namespace

int main(int argc, char **argv) {
  CLI::App app("checks and measures kernels and models on a GPU",
               "pmpd-gpu-check");
  app.require_subcommand(1);
  LinearOptions linear;
  CompareOptions compare;
  DecodeOptions decode;
  LinearOptions read;
  std::string from, to;
  CLI::App *linearApp = addLinear(app, linear);
  CLI::App *compareApp = addCompare(app, compare);
  CLI::App *decodeApp = addDecode(app, decode, read);
  CLI::App *headApp =
      addFiles(app, "head", "writes a weight file's table without its contents",
               from, to);
  CLI::App *fillApp = addFiles(
      app, "fill", "makes a weight file of a table, with random contents", from,
      to);
  app.add_subcommand("columns", "prints the head of the table of all checks");
  return runTool(app, argc, argv, [&] {
    if (*headApp) {
      writeHead(from, to);
      return 0;
    }
    if (*fillApp) {
      fillWeights(from, to);
      return 0;
    }
    TableWriter table(std::cout, TableFormat::Markdown, reportColumns());
    bool right = true;
    if (*linearApp) {
      right = measureLinear(linear, table);
    } else if (*compareApp) {
      right = compareModels(compare, table);
    } else if (*decodeApp) {
      if (!read.kernels.empty()) {
        read.gpu = decode.model.gpu;
        decode.readGbps = measureRead(read);
      }
      right = measureDecode(decode, table);
    }
    return right ? 0 : 1;
  });
}
