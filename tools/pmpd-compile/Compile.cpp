// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/pmpd-compile/Compile.h"

#include "lib/Emit/CpuTarget.h"
#include "lib/Emit/Interface.h"
#include "lib/Emit/Library.h"
#include "lib/Emit/NpuHardware.h"
#include "lib/Emit/Object.h"
#include "lib/Import/ONNX/Import.h"
#include "lib/Pack/AtomicFile.h"
#include "lib/Tokenizer/Tokenizer.h"
#include "passes/Passes.h"
#include "passes/Pipelines.h"
#include "tools/pmpd-compile/Diagnostics.h"
#include "tools/pmpd-compile/Progress.h"
#include "tools/pmpd-compile/Staging.h"

#include "mlir/IR/MLIRContext.h"
#include "mlir/Pass/PassInstrumentation.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/ThreadPool.h"

#include <sys/resource.h>

using namespace mlir;
using llvm::Error;

namespace {

/// Keeps the text of the model before it is lowered, and what it says of it.
class Snapshot : public PassInstrumentation {
public:
  /// After the pass named `last`.
  Snapshot(StringRef last, std::string *mlir) : last(last), mlir(mlir) {}

  void runAfterPass(Pass *pass, Operation *op) override {
    if (pass->getArgument() != last)
      return;
    pmpd::ModelOp model = *cast<ModuleOp>(op).getOps<pmpd::ModelOp>().begin();
    summary.vocab = model.getVocab();
    summary.hidden = model.getHidden();
    summary.layers = model.getLayers();
    summary.context = model.getContext();
    summary.digest = model.getWeightsDigest().value_or("").str();
    if (mlir) {
      llvm::raw_string_ostream stream(*mlir);
      op->print(stream);
    }
  }

  pmpd::emit::ModelSummary summary;

private:
  StringRef last;
  std::string *mlir;
};

/// One run of the compiler.
class Compilation {
public:
  explicit Compilation(const Options &options) : options(options) {}
  Error run();

private:
  Error importAndLower(Staging &staging);
  void setOptions(const Staging &staging, pmpd::CompileOptions &passes) const;
  Error emitLibrary(Staging &staging);
  Error describe(Staging &staging);
  Error write(Staging &staging, const std::string &file, StringRef contents);
  bool wants(const char *form) const { return options.emit.count(form); }
  void report(double seconds) const;

  const Options &options;
  DialectRegistry registry = [] {
    DialectRegistry dialects;
    dialects.insert<pmpd::PMPDDialect>();
    return dialects;
  }();
  llvm::DefaultThreadPool threads{llvm::hardware_concurrency(options.threads)};
  MLIRContext context{registry, MLIRContext::Threading::DISABLED};
  Progress progress{context};
  Diagnostics diagnostics{context, [this] { progress.finish(); }};
  pmpd::emit::CpuTarget target; // either this one
  pmpd::emit::NpuHardware npu;  // or that
  OwningOpRef<ModuleOp> module;
  pmpd::emit::ModelSummary summary;
  std::string mlirText;
  std::vector<std::string> files; // written, in the order to publish
};

Error refuse(const Twine &message) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), message);
}

Error Compilation::write(Staging &staging, const std::string &file,
                         StringRef contents) {
  std::string error;
  if (!pmpd::writeFileAtomically(staging.path(file), contents.data(),
                                 contents.size(), error))
    return refuse(error);
  files.push_back(file);
  return Error::success();
}

void Compilation::setOptions(const Staging &staging,
                             pmpd::CompileOptions &passes) const {
  passes.name = options.name;
  passes.context = options.context;
  for (int bits : options.prefillBits)
    passes.prefill.push_back(bits);
  for (int bits : options.decodeBits)
    passes.decode.push_back(bits);
  for (const std::string &rule : options.precision)
    passes.rules.push_back(rule);
  passes.scheduler = options.scheduler;
  passes.kv = options.kv;
  passes.calibration = options.calibration;
  passes.tokenizer = options.tokenizer;
  passes.statistics = options.statistics;
  passes.calibrationTokens = options.calibrationTokens;
  passes.quantizer = options.quantizer;
  passes.group = options.group;
  passes.simulate = options.simulate;
  passes.threads = options.threads;
  passes.activations = options.activations;
  passes.layout = options.layout;
  passes.prefillRows = options.prefillRows;
  passes.weights = staging.path(options.name + ".pmpdw");
  if (options.forNpu()) {
    passes.program = staging.path(options.name + ".pnpu");
    passes.npuConfig = options.npuConfig;
    passes.scratchpad = npu.scratchpadBytes;
    return;
  }
  for (const std::string &gpu : options.gpus)
    passes.gpus.push_back(gpu);
  passes.isa = pmpd::codegen::stringifyISA(target.kernels.isa).str();
  passes.nativeHalf = target.kernels.nativeHalf;
  passes.features = target.features;
  passes.triple = target.triple();
}

Error Compilation::importAndLower(Staging &staging) {
  progress.step("import");
  module = pmpd::onnx::importONNX(options.model, &context);
  if (!module)
    return refuse("the model cannot be imported");
  PassManager pm(&context);
  if (options.timing)
    pm.enableTiming();
  auto snapshot = std::make_unique<Snapshot>(
      options.forNpu() ? "npu-verify" : "pmpd-plan-memory",
      wants("mlir") ? &mlirText : nullptr);
  Snapshot &seen = *snapshot;
  pm.addInstrumentation(std::move(snapshot));
  pmpd::CompileOptions passes;
  setOptions(staging, passes);
  if (options.forGpu())
    pmpd::buildCompileGPUPipeline(pm, passes);
  else if (options.forNpu())
    pmpd::buildCompileNPUPipeline(pm, passes);
  else
    pmpd::buildCompileCPUPipeline(pm, passes);
  if (failed(pm.run(*module)))
    return refuse("the model cannot be compiled");
  summary = seen.summary;
  files.push_back(options.name + ".pmpdw");
  if (options.forNpu())
    files.push_back(options.name + ".pnpu");
  if (wants("mlir"))
    return write(staging, options.name + ".mlir", mlirText);
  return Error::success();
}

Error Compilation::emitLibrary(Staging &staging) {
  const std::string &name = options.name;
  progress.step("generate code");
  llvm::LLVMContext llvmContext;
  std::unique_ptr<llvm::Module> translated =
      pmpd::emit::translate(*module, *target.machine, llvmContext);
  if (!translated)
    return refuse("the lowered model cannot be translated");
  module = nullptr;
  if (wants("llvm")) {
    std::string text;
    llvm::raw_string_ostream(text) << *translated;
    if (Error failed = write(staging, name + ".ll", text))
      return failed;
  }
  llvm::SmallVector<char, 0> object =
      pmpd::emit::compile(*translated, *target.machine);
  StringRef bytes(object.data(), object.size());
  if (wants("obj"))
    if (Error failed = write(staging, name + ".o", bytes))
      return failed;
  if (wants("static")) {
    if (Error failed =
            pmpd::emit::writeArchive(object, name, staging.path(name + ".a")))
      return failed;
    files.push_back(name + ".a");
  }
  if (wants("shared")) {
    progress.step("link");
    if (Error failed = pmpd::emit::linkShared(object, name + "_pmpd_model",
                                              target.machine->getTargetTriple(),
                                              staging.path(name + ".so")))
      return failed;
    files.push_back(name + ".so");
  }
  return write(staging, name + ".h", pmpd::emit::makeHeader(name));
}

Error Compilation::describe(Staging &staging) {
  const std::string &name = options.name;
  if (!options.tokenizer.empty()) {
    auto buffer = llvm::MemoryBuffer::getFile(options.tokenizer);
    if (!buffer)
      return refuse(options.tokenizer + ": " + buffer.getError().message());
    summary.tokenizer = name + ".tokenizer.json";
    if (Error failed =
            write(staging, summary.tokenizer, (*buffer)->getBuffer()))
      return failed;
  }
  summary.name = name;
  summary.arch = options.arch;
  if (options.forNpu()) {
    summary.program = name + ".pnpu";
    summary.triple = "pnpu-1";
    summary.cpu = npu.name;
  } else {
    summary.triple = target.triple();
    summary.cpu = options.forGpu() ? llvm::join(options.gpus, ",")
                                   : target.machine->getTargetCPU().str();
    summary.features = target.features;
  }
  summary.quantizer = options.quantizer;
  summary.activations = options.activations;
  summary.prefillBits = options.prefillBits;
  summary.decodeBits = options.decodeBits;
  if (options.simulate != 0)
    summary.prefillBits = summary.decodeBits = {options.simulate};
  summary.group = options.group;
  summary.hasLibrary = wants("shared");
  if (std::error_code code = llvm::sys::fs::file_size(
          staging.path(name + ".pmpdw"), summary.weightBytes))
    return refuse(name + ".pmpdw: " + code.message());
  // The manifest last: a reader that finds it finds the rest.
  return write(staging, name + ".json", pmpd::emit::makeManifest(summary));
}

void Compilation::report(double seconds) const {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  std::string machine =
      options.forNpu() ? "the NPU " + npu.name
      : options.forGpu()
          ? summary.cpu
          : summary.cpu + " (" +
                pmpd::codegen::stringifyISA(target.kernels.isa).str() + ")";
  llvm::errs() << llvm::formatv(
      "{0}: {1} layers, context {2}, weights {3:f1} MB, for {4}\n",
      options.output, summary.layers, summary.context,
      summary.weightBytes / 1e6, machine);
  llvm::errs() << llvm::formatv("{0:f1} s, peak memory {1:f0} MB\n", seconds,
                                usage.ru_maxrss / 1024.0);
}

Error Compilation::run() {
  auto begin = std::chrono::steady_clock::now();
  // Cheap checks before the long work.
  if (!options.tokenizer.empty()) {
    std::string error;
    if (!pmpd::Tokenizer::load(options.tokenizer, error))
      return refuse(error);
  }
  if (options.forNpu()) {
    llvm::Expected<pmpd::emit::NpuHardware> found =
        pmpd::emit::findNpuHardware(options.npuConfig);
    if (!found)
      return found.takeError();
    npu = std::move(*found);
  } else {
    llvm::Expected<pmpd::emit::CpuTarget> resolved =
        pmpd::emit::resolveCpu(options.hostArch(), options.cpu);
    if (!resolved)
      return resolved.takeError();
    target = std::move(*resolved);
  }
  context.setThreadPool(threads);
  auto staging = Staging::create(options.output);
  if (!staging)
    return staging.takeError();
  if (Error failed = importAndLower(**staging))
    return failed;
  if (!options.forNpu())
    if (Error failed = emitLibrary(**staging))
      return failed;
  if (Error failed = describe(**staging))
    return failed;
  if (Error failed = (*staging)->publish(files))
    return failed;
  progress.finish();
  report(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin)
             .count());
  return Error::success();
}

} // namespace

bool compile(const Options &options) {
  Error failed = Compilation(options).run();
  if (!failed)
    return true;
  llvm::errs() << "pmpd-compile: " << llvm::toString(std::move(failed)) << '\n';
  return false;
}
