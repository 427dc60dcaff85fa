// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Emit/LoadedKernel.h"
#include "lib/Codegen/LowerToLLVM.h"
#include "lib/Emit/Object.h"

#include "mlir/Pass/PassManager.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/Support/SmallVectorMemoryBuffer.h"

using namespace llvm;

namespace pmpd::emit {

Expected<KernelCode> generateKernel(const CpuTarget &target,
                                    CodeGenFileType type, MakeKernel make) {
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  mlir::OwningOpRef<mlir::ModuleOp> module =
      mlir::ModuleOp::create(mlir::UnknownLoc::get(&context));
  codegen::CpuKernels library(*module, target.kernels);
  codegen::Kernel kernel = make(library);
  KernelCode code{
      kernel.func.getName().str(), kernel.tasks, kernel.rowTile, {}};
  // Kernels are internal, but here one is called from outside.
  kernel.func->removeAttr("llvm.linkage");

  mlir::PassManager pm(&context);
  codegen::buildKernelLoweringPipeline(pm);
  LLVMContext llvmContext;
  std::unique_ptr<Module> translated;
  if (succeeded(pm.run(*module)))
    translated = translate(*module, *target.machine, llvmContext);
  if (!translated)
    return createStringError("kernel '" + code.name + "' cannot be compiled");
  code.contents = compile(*translated, *target.machine, type);
  return code;
}

Expected<LoadedKernel> LoadedKernel::create(const CpuTarget &target,
                                            MakeKernel make) {
  auto code = generateKernel(target, CodeGenFileType::ObjectFile, make);
  if (!code)
    return code.takeError();
  auto jit = orc::LLJITBuilder()
                 .setJITTargetMachineBuilder(orc::JITTargetMachineBuilder(
                     target.machine->getTargetTriple()))
                 .setLinkProcessSymbolsByDefault(false)
                 .setPlatformSetUp(orc::setUpInactivePlatform)
                 .create();
  if (!jit)
    return jit.takeError();
  if (Error failed = (*jit)->addObjectFile(
          std::make_unique<SmallVectorMemoryBuffer>(std::move(code->contents))))
    return failed;
  auto address = (*jit)->lookup(code->name);
  if (!address)
    return address.takeError();
  return LoadedKernel(std::move(*jit), address->getValue(), *code);
}

LoadedKernel::LoadedKernel(std::unique_ptr<orc::LLJIT> jit, uintptr_t address,
                           const KernelCode &code)
    : jit(std::move(jit)), address(address), count(code.tasks),
      rowTile(code.rowTile) {}
LoadedKernel::LoadedKernel(LoadedKernel &&) = default;
LoadedKernel::~LoadedKernel() = default;

void LoadedKernel::run(ArrayRef<void *> p, int64_t rows, int64_t position,
                       int64_t begin, int64_t end) const {
  auto call = [&](auto... pointers) {
    auto *function = reinterpret_cast<void (*)(
        decltype(pointers)..., int64_t, int64_t, int64_t, int64_t)>(address);
    function(pointers..., rows, position, begin, end);
  };
  switch (p.size()) {
  case 2:
    return call(p[0], p[1]);
  case 3:
    return call(p[0], p[1], p[2]);
  case 4:
    return call(p[0], p[1], p[2], p[3]);
  }
  llvm_unreachable("kernels have 2 to 4 pointers");
}

} // namespace pmpd::emit
