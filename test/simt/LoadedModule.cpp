// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/simt/LoadedModule.h"
#include "test/simt/Calls.h"
#include "test/simt/HostModule.h"

#include "llvm/ExecutionEngine/Orc/AbsoluteSymbols.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/Support/SmallVectorMemoryBuffer.h"

using namespace llvm;

namespace pmpd::simt {

Expected<LoadedModule> LoadedModule::create(mlir::gpu::GPUModuleOp kernels) {
  auto object = compileForHost(kernels);
  if (!object)
    return object.takeError();
  auto jit =
      orc::LLJITBuilder().setPlatformSetUp(orc::setUpInactivePlatform).create();
  if (!jit)
    return jit.takeError();
  orc::SymbolMap symbols;
  uint32_t count;
  const Call *table = calls(count);
  for (const Call &call : ArrayRef(table, count))
    symbols[(*jit)->mangleAndIntern(call.symbol)] = {
        orc::ExecutorAddr::fromPtr(call.address), JITSymbolFlags::Exported};
  if (Error failed = (*jit)->getMainJITDylib().define(
          orc::absoluteSymbols(std::move(symbols))))
    return failed;
  if (Error failed = (*jit)->addObjectFile(
          std::make_unique<SmallVectorMemoryBuffer>(std::move(*object))))
    return failed;
  auto first = (*jit)->lookup("simt_kernels");
  auto size = (*jit)->lookup("simt_kernel_count");
  if (!first || !size)
    return joinErrors(first.takeError(), size.takeError());
  return LoadedModule(std::move(*jit), ArrayRef(first->toPtr<const Kernel *>(),
                                                *size->toPtr<uint32_t *>()));
}

LoadedModule::LoadedModule(std::unique_ptr<orc::LLJIT> jit,
                           ArrayRef<Kernel> kernels)
    : jit(std::move(jit)), kernels(kernels) {}
LoadedModule::LoadedModule(LoadedModule &&) = default;
LoadedModule::~LoadedModule() = default;

const Kernel *LoadedModule::find(StringRef name) const {
  const Kernel *found =
      llvm::find_if(kernels, [&](const Kernel &k) { return name == k.name; });
  return found == kernels.end() ? nullptr : found;
}

} // namespace pmpd::simt
