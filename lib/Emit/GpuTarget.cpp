// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Emit/GpuTarget.h"
#include "lib/Emit/ExternalTool.h"
#include "lib/Emit/Object.h"
#include "pmpd/kernel.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/TargetSelect.h"

using namespace llvm;

namespace pmpd::emit {
namespace {

/// A generation and the oldest version of PTX that knows it and all that
/// kernels use: the older the version, the older a driver may be.
struct Generation {
  int sm;
  const char *ptx;
};
constexpr Generation generations[] = {{PMPD_GPU_OLDEST_SM, "+ptx78"},
                                      {86, "+ptx78"},
                                      {87, "+ptx78"},
                                      {89, "+ptx78"},
                                      {90, "+ptx78"},
                                      {100, "+ptx86"},
                                      {103, "+ptx88"},
                                      {120, "+ptx87"}};

Error refuse(const Twine &message) {
  return createStringError(inconvertibleErrorCode(), message);
}

} // namespace

Expected<GpuTarget> resolveGpu(StringRef chip) {
  std::string known;
  for (const Generation &generation : generations) {
    std::string name = "sm_" + std::to_string(generation.sm);
    known += (known.empty() ? "" : ", ") + name;
    if (chip != name)
      continue;
    LLVMInitializeNVPTXTargetInfo();
    LLVMInitializeNVPTXTarget();
    LLVMInitializeNVPTXTargetMC();
    LLVMInitializeNVPTXAsmPrinter();
    Triple triple("nvptx64-nvidia-cuda");
    std::string error;
    const Target *target = TargetRegistry::lookupTarget(triple, error);
    if (!target)
      return refuse("expected an LLVM with NVPTX: " + error);
    return GpuTarget{
        std::unique_ptr<TargetMachine>(target->createTargetMachine(
            triple, name, generation.ptx, TargetOptions(), Reloc::PIC_,
            std::nullopt, CodeGenOptLevel::Aggressive)),
        generation.sm};
  }
  return refuse("expected a GPU of " + known + ", but got '" + chip + "'");
}

std::string makePtx(mlir::gpu::GPUModuleOp module, const GpuTarget &target) {
  mlir::OwningOpRef<mlir::gpu::GPUModuleOp> clone = module.clone();
  // Launches overlap on GPUs that can; the host asks for it there only.
  if (target.sm < PMPD_GPU_OVERLAP_SM)
    clone->walk([](mlir::NVVM::GriddepcontrolOp op) { op.erase(); });
  LLVMContext context;
  std::unique_ptr<Module> translated =
      translate(*clone, *target.machine, context);
  if (!translated)
    return "";
  SmallVector<char, 0> text =
      compile(*translated, *target.machine, CodeGenFileType::AssemblyFile);
  return std::string(text.begin(), text.end());
}

std::string findPtxas() {
  for (const char *variable : {"CUDA_HOME", "CUDA_PATH"})
    if (auto home = sys::Process::GetEnv(variable)) {
      SmallString<128> path(*home);
      sys::path::append(path, "bin", "ptxas");
      if (sys::fs::can_execute(path))
        return path.str().str();
    }
  if (auto found = sys::findProgramByName("ptxas"))
    return *found;
  const char *usual = "/usr/local/cuda/bin/ptxas";
  return sys::fs::can_execute(usual) ? usual : "";
}

Expected<std::string> assemble(const std::string &ptxas, StringRef ptx,
                               const GpuTarget &target) {
  TemporaryFiles files;
  Expected<std::string> input = files.add("ptx", ptx);
  if (!input)
    return input.takeError();
  Expected<std::string> output = files.add("cubin", "");
  if (!output)
    return output.takeError();
  if (Error failed = runTool(
          ptxas, {"-arch=" + target.chip(), "-O3", *input, "-o", *output}))
    return failed;
  auto contents = MemoryBuffer::getFile(*output);
  if (!contents)
    return refuse(*output + ": " + contents.getError().message());
  return (*contents)->getBuffer().str();
}

} // namespace pmpd::emit
