// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/pmpd-compile/Options.h"
#include "lib/Emit/GpuTarget.h"
#include "lib/Emit/Interface.h"
#include "lib/Quant/Quantizer.h"
#include "pmpd/gpu_layout.h"
#include "tools/support/CommandLine.h"

#include <algorithm>
#include <cctype>
#include <filesystem>

namespace {

#if defined(__aarch64__)
constexpr const char *thisArch = "aarch64";
#else
constexpr const char *thisArch = "x86-64";
#endif

/// A C identifier from a file name.
std::string nameFrom(const std::string &path) {
  std::string name = std::filesystem::path(path).stem().string();
  for (char &c : name)
    if (!std::isalnum(static_cast<unsigned char>(c)))
      c = '_';
  if (name.empty() || std::isdigit(static_cast<unsigned char>(name[0])))
    name.insert(name.begin(), '_');
  return name;
}

bool contains(const std::vector<int> &list, int value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

/// What follows from compiling for the NPU. Returns an error text or "".
std::string completeForNpu(Options &options, bool emits) {
  const std::string target = "--target npu: expected ";
  if (options.bits.front() >= 16 || options.simulate != 0)
    return target + "nested weights, --bits of 2, 3 or 4 without --simulate";
  if (options.activations == "f32")
    return target + "--activations q8 or q16, but got f32";
  if (options.kv == "f32")
    return target + "--kv f16, but got f32";
  if (options.layout != "s" || options.cpu != "native")
    return target + "neither --layout nor --cpu, which are for CPUs";
  if (!options.scheduler.empty())
    return target + "no --scheduler, because networks run on a CPU";
  if (!emits)
    options.emit = {};
  else if (options.emit != std::set<std::string>{"mlir"})
    return target + "at most --emit mlir";
  if (options.activations.empty())
    options.activations = "q16";
  if (options.npuConfig.empty())
    options.npuConfig = "ref";
  return "";
}

/// What follows from compiling for NVIDIA GPUs. Returns an error text or "".
std::string completeForGpu(Options &options) {
  const std::string target = "--target nvptx: expected ";
  if (options.activations.empty())
    options.activations = "q16";
  if (options.activations != "q16")
    return target + "--activations q16, but got " + options.activations;
  if (options.layout != "s" || options.cpu != "native")
    return target + "neither --layout nor --cpu, which are for CPUs";
  if (options.bits.front() < 16 && options.group % PMPD_GPU_GROUP_COLS != 0)
    return target + "a --group of " + std::to_string(PMPD_GPU_GROUP_COLS) +
           " or a multiple of it, but got " + std::to_string(options.group);
  // The host only launches.
  options.cpu = "portable";
  if (options.gpus.empty())
    options.gpus = {"sm_80", "sm_90"};
  for (const std::string &gpu : options.gpus) {
    auto found = pmpd::emit::resolveGpu(gpu);
    if (!found)
      return "--gpu: " + llvm::toString(found.takeError());
    if (std::count(options.gpus.begin(), options.gpus.end(), gpu) > 1)
      return "--gpu: expected each GPU once, but got " + gpu + " again";
  }
  return "";
}

/// What is wrong with a list of bits that `flag` gave, or "".
std::string checkBits(const std::string &flag, const std::vector<int> &bits) {
  for (int value : bits) {
    if (!contains({2, 3, 4, 16, 32}, value))
      return flag + ": expected bits of 2, 3, 4, 16 or 32, but got " +
             std::to_string(value);
    if (std::count(bits.begin(), bits.end(), value) > 1)
      return flag + ": expected each bits once, but got " +
             std::to_string(value) + " again";
    if ((value >= 16) != (bits.front() >= 16))
      return flag + ": expected either nested bits (2 to 4) or unquantized "
                    "ones (16, 32), but got both";
  }
  return "";
}

/// What follows from several options together; `emits` says whether --emit was
/// given. Returns an error text or "".
std::string complete(Options &options, bool emits) {
  if (options.output.empty())
    return "--output: expected a directory, but got an empty name";
  for (auto [flag, list] : {std::pair("--bits", &options.bits),
                            std::pair("--prefill-bits", &options.prefillBits),
                            std::pair("--decode-bits", &options.decodeBits)})
    if (std::string problem = checkBits(flag, *list); !problem.empty())
      return problem;
  if (options.name.empty())
    options.name = nameFrom(options.model);
  if (!pmpd::emit::isValidName(options.name))
    return "--name " + options.name + ": expected letters, digits and _";
  if (options.arch.empty())
    options.arch = thisArch;
  if (!options.scheduler.empty()) {
    const std::string kind = "learned:";
    if (options.scheduler.rfind(kind, 0) != 0 ||
        options.scheduler.size() == kind.size())
      return "--scheduler " + options.scheduler +
             ": expected learned:FILE.onnx; other schedulers need no compiling";
    options.scheduler.erase(0, kind.size());
  }
  if (!options.forNpu() && !options.npuConfig.empty())
    return "--npu-config: expected --target npu beside it";
  if (options.forNpu())
    if (std::string problem = completeForNpu(options, emits); !problem.empty())
      return problem;
  if (!options.forGpu() && !options.gpus.empty())
    return "--gpu: expected --target nvptx beside it";
  if (options.forGpu())
    if (std::string problem = completeForGpu(options); !problem.empty())
      return problem;
  if (options.prefillRows == 0)
    options.prefillRows = options.forGpu() ? 512 : 64;
  if (options.activations.empty())
    options.activations = "q8";
  if (options.decodeBits.empty())
    options.decodeBits = options.bits;
  if (options.prefillBits.empty())
    options.prefillBits = {
        *std::max_element(options.bits.begin(), options.bits.end())};
  for (auto [flag, list] : {std::pair("--prefill-bits", &options.prefillBits),
                            std::pair("--decode-bits", &options.decodeBits)})
    for (int value : *list)
      if (!contains(options.bits, value))
        return std::string(flag) + " " + std::to_string(value) +
               ": expected bits that --bits names";
  bool unquantized = options.bits.front() >= 16;
  if (options.kv.empty())
    options.kv = options.bits.front() == 32 ? "f32" : "f16";
  if (unquantized &&
      !(options.calibration.empty() && options.statistics.empty()))
    return "--calibration, --statistics: nothing to calibrate at --bits " +
           std::to_string(options.bits.front());
  const pmpd::QuantizerInfo *quantizer = pmpd::findQuantizer(options.quantizer);
  if (!quantizer)
    return "--quantizer " + options.quantizer + ": expected " +
           pmpd::quantizerNames();
  if (options.simulate != 0 && !contains(options.bits, options.simulate))
    return "--simulate " + std::to_string(options.simulate) +
           ": expected bits that --bits names";
  if (!quantizer->hasKernels() && options.simulate == 0 && !unquantized)
    return "--quantizer " + options.quantizer +
           ": expected --simulate, as no kernel reads its codes";
  if (quantizer->takesOnePrefix && options.bits.size() > 1)
    return "--quantizer " + options.quantizer +
           ": expected one of the --bits, but got " +
           std::to_string(options.bits.size());
  if (options.layout == "plain" && options.activations != "f32")
    return "--layout plain: expected --activations f32";
  if (options.tokenizer.empty()) {
    auto beside =
        std::filesystem::path(options.model).parent_path() / "tokenizer.json";
    std::error_code ignored;
    if (std::filesystem::exists(beside, ignored))
      options.tokenizer = beside.string();
  }
  if (!options.calibration.empty() && options.tokenizer.empty())
    return "--calibration needs --tokenizer, as there is no tokenizer.json "
           "beside the model";
  return "";
}

} // namespace

std::string Options::hostArch() const { return forGpu() ? thisArch : arch; }

int runWithOptions(int argc, char **argv,
                   const std::function<int(const Options &)> &body) {
  Options options;
  CLI::App app(
      "Compiles an ONNX decoder model into a library whose weights are "
      "readable at several precisions.",
      "pmpd-compile");
  auto bits = CLI::IsMember({2, 3, 4, 16, 32});
  std::vector<std::string> emit;
  app.add_option("model", options.model, "the ONNX model")
      ->required()
      ->type_name("MODEL.onnx");
  app.add_option("-o,--output", options.output, "output directory")
      ->required()
      ->type_name("DIR");
  app.add_option("--name", options.name,
                 "name of files and symbols (default: from the model's)");
  app.add_option("--bits", options.bits,
                 "bits the weights are readable at: any of 2,3,4, or 16 or 32 "
                 "for unquantized weights")
      ->delimiter(',')
      ->check(bits)
      ->capture_default_str();
  app.add_option("--prefill-bits", options.prefillBits,
                 "bits of the prefill phase (default: the highest)")
      ->delimiter(',')
      ->check(bits);
  app.add_option("--decode-bits", options.decodeBits,
                 "bits of the decode phase (default: all)")
      ->delimiter(',')
      ->check(bits);
  app.add_option("--precision", options.precision,
                 "fix the bits of layers whose whole name matches; repeatable")
      ->type_name("REGEX=BITS");
  app.add_option("--group", options.group, "columns per scale and minimum")
      ->check(pmpd::tools::wholeNumber(1))
      ->capture_default_str();
  app.add_option("--quantizer", options.quantizer, pmpd::quantizerNames())
      ->capture_default_str();
  auto *calibration =
      app.add_option("--calibration", options.calibration,
                     "text to quantize for; nldlq and gptq measure a layer's "
                     "inputs behind the quantized layers before it")
          ->type_name("FILE");
  app.add_option("--simulate", options.simulate,
                 "store what the weights are at these bits as unquantized "
                 "weights, to measure a quantizer")
      ->check(CLI::IsMember({2, 3, 4}))
      ->type_name("BITS");
  app.add_option("--calibration-tokens", options.calibrationTokens,
                 "most tokens to calibrate on")
      ->check(pmpd::tools::wholeNumber(1))
      ->needs(calibration)
      ->capture_default_str();
  auto *save =
      app.add_option("--save-statistics", options.statistics,
                     "calibrate on the unquantized model alone, and keep what "
                     "was measured")
          ->needs(calibration)
          ->type_name("FILE");
  app.add_option("--statistics", options.statistics,
                 "use what --save-statistics kept, for any bits, group and "
                 "quantizer that needs no more")
      ->check(CLI::ExistingFile)
      ->excludes(calibration)
      ->excludes(save)
      ->type_name("FILE");
  app.add_option("--tokenizer", options.tokenizer,
                 "tokenizer.json to ship with the model (default: the one "
                 "beside it)")
      ->type_name("FILE");
  app.add_option("--scheduler", options.scheduler,
                 "compile a scheduler in: learned:FILE.onnx, a network that "
                 "chooses the bits of each request")
      ->type_name("KIND:FILE");
  app.add_option("--activations", options.activations,
                 "of linear layers: q8, q16 or f32 (default: q8, and q16 for "
                 "GPUs and the NPU)")
      ->check(CLI::IsMember({"q8", "q16", "f32"}));
  app.add_option("--kv", options.kv,
                 "element of the KV cache: f16 or f32 (default: f16, and f32 "
                 "with --bits 32)")
      ->check(CLI::IsMember({"f16", "f32"}));
  app.add_option("--layout", options.layout,
                 "of nested weights: s, or plain, the readable reference")
      ->check(CLI::IsMember({"s", "plain"}))
      ->capture_default_str();
  app.add_option("--ctx", options.context,
                 "most tokens in the KV cache (default: what the model allows, "
                 "up to 4096)")
      ->check(pmpd::tools::wholeNumber(1));
  app.add_option("--prefill-rows", options.prefillRows,
                 "most tokens per call of the prefill phase (default: 64, and "
                 "512 for GPUs)")
      ->check(pmpd::tools::wholeNumber(1));
  app.add_option("--target", options.arch,
                 "x86-64, aarch64, nvptx for NVIDIA GPUs, or npu, a simulated "
                 "accelerator (default: this machine's)")
      ->check(CLI::IsMember({"x86-64", "aarch64", "nvptx", "npu"}));
  app.add_option("--gpu", options.gpus,
                 "GPUs to generate code for, such as sm_80,sm_90 (the "
                 "default); newer ones run it as well")
      ->delimiter(',')
      ->type_name("SM");
  app.add_option("--npu-config", options.npuConfig,
                 "hardware of the accelerator: ref, edge or a JSON file "
                 "(default: ref)")
      ->type_name("NAME|FILE");
  app.add_option(
         "--cpu", options.cpu,
         "native, portable, avx2, avxvnni, avx512vnni, amx, or a name of "
         "LLVM's")
      ->capture_default_str();
  app.add_option("--emit", emit,
                 "any of mlir,llvm,obj,static,shared (default: static,shared)")
      ->delimiter(',')
      ->check(CLI::IsMember({"mlir", "llvm", "obj", "static", "shared"}));
  app.add_option("-t,-j,--threads", options.threads, "threads; 0 = all CPUs")
      ->check(pmpd::tools::wholeNumber(0, 1024))
      ->type_name("N");
  app.add_flag("--timing", options.timing, "print the time of every pass");
  return pmpd::tools::runTool(app, argc, argv, [&] {
    if (!emit.empty())
      options.emit = {emit.begin(), emit.end()};
    std::string problem = complete(options, !emit.empty());
    if (!problem.empty())
      throw CLI::ValidationError(problem);
    return body(options);
  });
}
