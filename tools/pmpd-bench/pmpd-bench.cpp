// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/pmpd-bench/GpuKernels.h"
#include "tools/pmpd-bench/Linear.h"
#include "tools/pmpd-bench/Model.h"

#include <fstream>
#include <iostream>

using namespace pmpd::tools;

namespace {

struct Output {
  TableFormat format = TableFormat::Markdown;

  void addTo(CLI::App &app) {
    app.add_option("--format", format, "md (default), csv or json")
        ->transform(oneOf<TableFormat>({{"md", TableFormat::Markdown},
                                        {"csv", TableFormat::CSV},
                                        {"json", TableFormat::JSON}}))
        ->type_name("FORMAT");
  }
};

void addRuns(CLI::App &app, std::vector<int> &threads, int &repeat) {
  app.add_option("-t,--threads", threads, "threads, one row each")
      ->delimiter(',')
      ->capture_default_str()
      ->check(CLI::Range(1, 1024))
      ->type_name("N,...");
  app.add_option("--repeat", repeat, "measurements of which to take the median")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000))
      ->type_name("N");
}

using Shapes = std::vector<std::pair<int64_t, int64_t>>;

void addShapes(CLI::App &app, Shapes &shapes) {
  app.add_option_function<std::vector<std::string>>(
         "--shapes",
         [&shapes](const std::vector<std::string> &texts) {
           shapes.clear();
           for (const std::string &text : texts) {
             auto shape = parseShape(text);
             if (!shape)
               throw CLI::ValidationError(
                   "--shapes", "expected ROWSxCOLS, but got " + text);
             shapes.push_back(*shape);
           }
         },
         "of the weight, rows by columns")
      ->delimiter(',')
      ->type_name("ROWSxCOLS,...");
}

void addBits(CLI::App &app, std::vector<int> &bits) {
  app.add_option("--bits", bits, "bits to read of 4")
      ->delimiter(',')
      ->capture_default_str()
      ->check(CLI::Range(2, 4))
      ->type_name("N,...");
}

void addBatches(CLI::App &app, std::vector<int64_t> &batches) {
  app.add_option("--batch", batches, "activation rows")
      ->delimiter(',')
      ->capture_default_str()
      ->check(CLI::Range(1, 4096))
      ->type_name("N,...");
}

/// A subcommand with what gemv and gemm have in common.
CLI::App *addLinear(CLI::App &app, const std::string &name,
                    const std::string &text, LinearBench &bench) {
  CLI::App *sub = app.add_subcommand(name, text);
  bench.shapes = {
      {4096, 4096}, {11008, 4096}, {4096, 11008}, {2048, 2048}, {5632, 2048}};
  addShapes(*sub, bench.shapes);
  addBits(*sub, bench.bits);
  sub->add_option("--activations", bench.activations, "q8, q16 or f32")
      ->capture_default_str()
      ->check(CLI::IsMember({"q8", "q16", "f32"}))
      ->type_name("KIND");
  sub->add_option(
         "--cpu", bench.cpu,
         "native, portable, avx2, avxvnni, avx512vnni, amx or a CPU's name")
      ->capture_default_str()
      ->type_name("CPU");
  sub->add_option("--group", bench.group, "columns per scale and minimum")
      ->capture_default_str()
      ->check(CLI::IsMember({32, 64, 128, 256}))
      ->type_name("N");
  addRuns(*sub, bench.threads, bench.repeat);
  return sub;
}

void checkShapes(const Shapes &shapes, int64_t group) {
  for (auto [rows, cols] : shapes)
    if (cols % group)
      throw ToolError("expected columns that are a multiple of the group of " +
                      std::to_string(group) + ", but got " +
                      std::to_string(cols));
}

CLI::App *addGpuKernels(CLI::App &app, GpuKernelFiles &files) {
  CLI::App *sub = app.add_subcommand(
      "gpu-kernels",
      "writes linear kernels for a GPU, for pmpd-gpu-check to measure there");
  files.shapes = {{4096, 4096}, {11008, 4096}, {4096, 11008},
                  {5120, 5120}, {8192, 8192},  {28672, 8192}};
  sub->add_option("-o,--output", files.directory, "directory to write")
      ->required()
      ->type_name("DIR");
  addShapes(*sub, files.shapes);
  addBits(*sub, files.bits);
  addBatches(*sub, files.batches);
  sub->add_option("--group", files.group, "columns per scale and minimum")
      ->capture_default_str()
      ->check(CLI::IsMember({128, 256}))
      ->type_name("N");
  sub->add_option("--gpu", files.chip, "the oldest GPU to run them")
      ->capture_default_str()
      ->type_name("SM");
  sub->add_flag("--mlir", files.ir, "write the same in the NVVM dialect");
  return sub;
}

void addModel(CLI::App *sub, ModelBench &bench) {
  sub->add_option("-m,--model", bench.model.directory,
                  "directory that pmpd-compile wrote")
      ->required()
      ->type_name("DIR");
  sub->add_option("--pp", bench.promptTokens, "tokens of the prompt")
      ->delimiter(',')
      ->capture_default_str()
      ->check(wholeNumber())
      ->type_name("N,...");
  sub->add_option("--tg", bench.decodeTokens, "tokens to decode after it")
      ->capture_default_str()
      ->check(wholeNumber())
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
  addBatches(*gemmApp, gemm.batches);
  CLI::App *modelApp =
      app.add_subcommand("model", "tokens per second of a compiled model");
  addModel(modelApp, model);
  GpuKernelFiles gpu;
  CLI::App *gpuApp = addGpuKernels(app, gpu);
  for (CLI::App *sub : {gemvApp, gemmApp, modelApp})
    output.addTo(*sub);

  return runTool(app, argc, argv, [&] {
    if (*gemvApp) {
      checkShapes(gemv.shapes, gemv.group);
      TableWriter table(std::cout, output.format, gemvColumns());
      measureGemv(gemv, table);
    } else if (*gemmApp) {
      checkShapes(gemm.shapes, gemm.group);
      TableWriter table(std::cout, output.format, gemmColumns());
      measureGemm(gemm, table);
    } else if (*gpuApp) {
      checkShapes(gpu.shapes, gpu.group);
      writeGpuKernels(gpu);
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
