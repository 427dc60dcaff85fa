// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/pmpd-bench/Linear.h"
#include "tools/pmpd-bench/Model.h"

#include <fstream>
#include <iostream>

using namespace pmpd::tools;

namespace {

struct Output {
  TableFormat format = TableFormat::Markdown;

  void addTo(CLI::App &app) {
    app.add_option("--format", format, "md, csv or json")
        ->transform(CLI::CheckedTransformer(
            std::map<std::string, TableFormat>{{"md", TableFormat::Markdown},
                                               {"csv", TableFormat::CSV},
                                               {"json", TableFormat::JSON}}))
        ->type_name("FORMAT");
  }
};

void addRuns(CLI::App &app, std::vector<int> &threads, int &repeat) {
  app.add_option("-t,--threads", threads, "threads, one row each")
      ->delimiter(',')
      ->check(CLI::Range(1, 1024))
      ->type_name("N,...");
  app.add_option("--repeat", repeat, "measurements of which to take the median")
      ->check(CLI::Range(1, 1000))
      ->type_name("N");
}

/// A subcommand with what gemv and gemm have in common.
CLI::App *addLinear(CLI::App &app, const std::string &name,
                    const std::string &text, LinearBench &bench) {
  CLI::App *sub = app.add_subcommand(name, text);
  bench.shapes = {
      {4096, 4096}, {11008, 4096}, {4096, 11008}, {2048, 2048}, {5632, 2048}};
  sub->add_option_function<std::vector<std::string>>(
         "--shapes",
         [&bench](const std::vector<std::string> &texts) {
           bench.shapes.clear();
           for (const std::string &text : texts) {
             auto shape = parseShape(text);
             if (!shape)
               throw CLI::ValidationError(
                   "--shapes", "expected ROWSxCOLS, but got " + text);
             bench.shapes.push_back(*shape);
           }
         },
         "of the weight, rows by columns")
      ->delimiter(',')
      ->type_name("ROWSxCOLS,...");
  sub->add_option("--bits", bench.bits, "bits to read of 4")
      ->delimiter(',')
      ->check(CLI::Range(2, 4))
      ->type_name("N,...");
  sub->add_option("--activations", bench.activations, "q8, q16 or f32")
      ->check(CLI::IsMember({"q8", "q16", "f32"}))
      ->type_name("KIND");
  sub->add_option(
         "--cpu", bench.cpu,
         "native, portable, avx2, avxvnni, avx512vnni, amx or a CPU's name")
      ->type_name("CPU");
  sub->add_option("--group", bench.group, "columns per scale and minimum")
      ->check(CLI::IsMember({32, 64, 128, 256}))
      ->type_name("N");
  addRuns(*sub, bench.threads, bench.repeat);
  return sub;
}

void checkShapes(const LinearBench &bench) {
  for (auto [rows, cols] : bench.shapes)
    if (cols % bench.group)
      throw ToolError("expected columns that are a multiple of the group of " +
                      std::to_string(bench.group) + ", but got " +
                      std::to_string(cols));
}

void addModel(CLI::App *sub, ModelBench &bench) {
  sub->add_option("-m,--model", bench.model.directory,
                  "directory that pmpd-compile wrote")
      ->required()
      ->type_name("DIR");
  sub->add_option("--pp", bench.promptTokens, "tokens of the prompt")
      ->delimiter(',')
      ->check(countValidator())
      ->type_name("N,...");
  sub->add_option("--tg", bench.decodeTokens, "tokens to decode after it")
      ->check(countValidator())
      ->type_name("N");
  sub->add_option_function<std::vector<int>>(
         "--bits",
         [&bench](const std::vector<int> &list) {
           for (int bits : list)
             bench.schedules.push_back(std::to_string(bits) + "@0");
         },
         "decode at these bits, one row each")
      ->delimiter(',')
      ->check(CLI::Range(1, 32))
      ->type_name("N,...");
  addScheduleOption(*sub, [&bench](std::string schedule) {
    bench.schedules.push_back(std::move(schedule));
  });
  addRuns(*sub, bench.threads, bench.repeat);
}

} // namespace

int main(int argc, char **argv) {
  CLI::App app("measures kernels and compiled models against what the machine "
               "can do, in one run",
               "pmpd-bench");
  app.require_subcommand(1);
  LinearBench gemv, gemm;
  ModelBench model;
  Output output;
  CLI::App *gemvApp =
      addLinear(app, "gemv",
                "one activation row, cold weights: share of the memory's "
                "bandwidth",
                gemv);
  CLI::App *gemmApp = addLinear(app, "gemm",
                                "several activation rows: share of the "
                                "multipliers' speed",
                                gemm);
  gemv.batches = {1};
  gemm.batches = {4, 16, 128};
  gemmApp->add_option("--batch", gemm.batches, "activation rows")
      ->delimiter(',')
      ->check(CLI::Range(1, 4096))
      ->type_name("N,...");
  CLI::App *modelApp =
      app.add_subcommand("model", "tokens per second of a compiled model");
  addModel(modelApp, model);
  for (CLI::App *sub : {gemvApp, gemmApp, modelApp})
    output.addTo(*sub);

  return runTool(app, argc, argv, [&] {
    if (*gemvApp) {
      checkShapes(gemv);
      TableWriter table(std::cout, output.format, gemvColumns());
      measureGemv(gemv, table);
    } else if (*gemmApp) {
      checkShapes(gemm);
      TableWriter table(std::cout, output.format, gemmColumns());
      measureGemm(gemm, table);
    } else {
      if (model.schedules.empty())
        throw CLI::RequiredError(
            "expected --bits or --schedule, but got neither",
            CLI::ExitCodes::RequiredError);
      TableWriter table(std::cout, output.format, modelColumns());
      measureModel(model, table);
    }
    return 0;
  });
}
