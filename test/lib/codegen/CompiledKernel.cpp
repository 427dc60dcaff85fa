// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/lib/codegen/CompiledKernel.h"

#include "lib/Codegen/LowerToLLVM.h"
#include "lib/Quant/Half.h"

#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Verifier.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/SmallVectorMemoryBuffer.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Host.h"

#include <cstring>
#include <sys/mman.h>
#include <unistd.h>

using namespace mlir;

namespace pmpd::test {
namespace {

std::unique_ptr<llvm::TargetMachine> makeMachine(const llvm::Triple &triple,
                                                 StringRef features) {
  static const bool initialized = [] {
    llvm::InitializeAllTargetInfos();
    llvm::InitializeAllTargets();
    llvm::InitializeAllTargetMCs();
    llvm::InitializeAllAsmPrinters();
    return true;
  }();
  (void)initialized;
  std::string error;
  const llvm::Target *target =
      llvm::TargetRegistry::lookupTarget(triple, error);
  if (!target)
    llvm::report_fatal_error(llvm::StringRef(error));
  return std::unique_ptr<llvm::TargetMachine>(target->createTargetMachine(
      triple, triple.isX86() ? "x86-64" : "generic", features,
      llvm::TargetOptions(), llvm::Reloc::PIC_));
}

void optimize(llvm::Module &module, llvm::TargetMachine &machine) {
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager components;
  llvm::ModuleAnalysisManager modules;
  llvm::PassBuilder builder(&machine);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(components);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, components, modules);
  builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O2)
      .run(module, modules);
}

uint64_t pageBytes() { return sysconf(_SC_PAGESIZE); }

} // namespace

GeneratedCode::GeneratedCode(const llvm::Triple &triple, StringRef features,
                             llvm::CodeGenFileType type, MakeKernel make) {
  MLIRContext context;
  registerBuiltinDialectTranslation(context);
  registerLLVMDialectTranslation(context);
  OwningOpRef<ModuleOp> module = ModuleOp::create(UnknownLoc::get(&context));
  codegen::KernelLibrary library(
      *module, codegen::Target::fromFeatures(triple, features));
  codegen::Kernel kernel = make(library);
  name = kernel.func.getName();
  tasks = kernel.tasks;
  perRow = kernel.perRow;
  EXPECT_EQ(make(library).func, kernel.func) << "an equal kernel is reused";
  // Kernels are internal, but here one is called from outside.
  kernel.func->removeAttr("llvm.linkage");

  PassManager pm(&context);
  codegen::buildKernelLoweringPipeline(pm);
  if (failed(pm.run(*module)))
    llvm::report_fatal_error("lowering failed");
  llvm::LLVMContext llvmContext;
  std::unique_ptr<llvm::Module> code =
      translateModuleToLLVMIR(*module, llvmContext);
  if (!code)
    llvm::report_fatal_error("translation failed");
  auto machine = makeMachine(triple, features);
  code->setTargetTriple(triple);
  code->setDataLayout(machine->createDataLayout());
  optimize(*code, *machine);
  llvm::raw_svector_ostream stream(contents);
  llvm::legacy::PassManager passes;
  if (machine->addPassesToEmitFile(passes, stream, nullptr, type))
    llvm::report_fatal_error("the target emits no such file");
  passes.run(*code);
}

CompiledKernel::CompiledKernel(codegen::ISA isa, MakeKernel make) {
  llvm::Triple triple(llvm::sys::getProcessTriple());
  GeneratedCode code(triple, codegen::requiredFeatures(isa),
                     llvm::CodeGenFileType::ObjectFile, make);
  taskCount = code.tasks;
  perRow = code.perRow;
  llvm::ExitOnError check("jit: ");
  llvm::InitializeNativeTarget();
  llvm::InitializeNativeTargetAsmPrinter();
  // No symbols of the process: a kernel that calls anything fails to link.
  jit = check(llvm::orc::LLJITBuilder()
                  .setJITTargetMachineBuilder(
                      llvm::orc::JITTargetMachineBuilder(triple))
                  .setLinkProcessSymbolsByDefault(false)
                  .setPlatformSetUp(llvm::orc::setUpInactivePlatform)
                  .create());
  check(jit->addObjectFile(std::make_unique<llvm::SmallVectorMemoryBuffer>(
      std::move(code.contents))));
  address = check(jit->lookup(code.name)).getValue();
}

CompiledKernel::~CompiledKernel() = default;

void CompiledKernel::run(const std::vector<void *> &pointers, int64_t rows,
                         int64_t position, int64_t begin, int64_t end) const {
  auto call = [&](auto... arguments) {
    auto *function = reinterpret_cast<void (*)(
        decltype(arguments)..., int64_t, int64_t, int64_t, int64_t)>(address);
    function(arguments..., rows, position, begin, end);
  };
  const std::vector<void *> &p = pointers;
  switch (p.size()) {
  case 2:
    return call(p[0], p[1]);
  case 3:
    return call(p[0], p[1], p[2]);
  case 4:
    return call(p[0], p[1], p[2], p[3]);
  }
  llvm::report_fatal_error("no kernel has so many pointers");
}

void CompiledKernel::runInPieces(const std::vector<void *> &pointers,
                                 int64_t rows, int64_t position,
                                 std::mt19937 &random) const {
  std::vector<std::pair<int64_t, int64_t>> ranges;
  for (int64_t begin = 0, end; begin < tasks(rows); begin = end) {
    end = std::min<int64_t>(begin + 1 + random() % 3, tasks(rows));
    ranges.push_back({begin, end});
  }
  std::shuffle(ranges.begin(), ranges.end(), random);
  for (auto [begin, end] : ranges)
    run(pointers, rows, position, begin, end);
}

GuardedBytes::GuardedBytes(size_t bytes) : bytes(bytes) {
  size_t usable = llvm::alignTo(bytes, pageBytes());
  mapped = usable + pageBytes();
  void *memory = mmap(nullptr, mapped, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED)
    llvm::report_fatal_error("no memory");
  mapping = static_cast<uint8_t *>(memory);
  mprotect(mapping + usable, pageBytes(), PROT_NONE);
  begin = mapping + usable - bytes;
}

GuardedBytes::~GuardedBytes() {
  if (mapping)
    munmap(mapping, mapped);
}

std::vector<float> randomFloats(size_t count, std::mt19937 &random,
                                float range) {
  std::uniform_real_distribution<float> uniform(-range, range);
  std::vector<float> values(count);
  for (float &value : values)
    value = uniform(random);
  return values;
}

std::vector<uint16_t> toHalves(const std::vector<float> &values) {
  std::vector<uint16_t> halves;
  for (float value : values)
    halves.push_back(floatToHalf(value));
  return halves;
}

std::vector<float> throughHalves(const std::vector<float> &values) {
  std::vector<float> result;
  for (float value : values)
    result.push_back(halfToFloat(floatToHalf(value)));
  return result;
}

void ForEveryISA::SetUp() {
  llvm::StringMap<bool> host = llvm::sys::getHostCPUFeatures();
  SmallVector<StringRef> needed;
  codegen::requiredFeatures(GetParam()).split(needed, ',', -1, false);
  for (StringRef feature : needed)
    if (!host.lookup(feature.drop_front()))
      GTEST_SKIP() << "this CPU lacks " << feature.drop_front().str();
}

} // namespace pmpd::test
