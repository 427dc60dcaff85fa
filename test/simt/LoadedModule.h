// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_TEST_SIMT_LOADEDMODULE_H
#define PMPD_TEST_SIMT_LOADEDMODULE_H

#include "test/simt/Executor.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "llvm/Support/Error.h"

#include <memory>

namespace llvm::orc {
class LLJIT;
} // namespace llvm::orc

namespace pmpd::simt {

/// Kernels of the GPU, compiled for the host and loaded into this process.
class LoadedModule {
public:
  /// `kernels` are in the NVVM and LLVM dialects; they are not needed any more
  /// afterwards. Errors as translateForHost.
  static llvm::Expected<LoadedModule> create(mlir::gpu::GPUModuleOp kernels);
  LoadedModule(LoadedModule &&);
  ~LoadedModule();

  /// Null if there is none of this name.
  const Kernel *find(llvm::StringRef name) const;

private:
  LoadedModule(std::unique_ptr<llvm::orc::LLJIT> jit,
               llvm::ArrayRef<Kernel> kernels);
  std::unique_ptr<llvm::orc::LLJIT> jit;
  llvm::ArrayRef<Kernel> kernels;
};

} // namespace pmpd::simt

#endif // PMPD_TEST_SIMT_LOADEDMODULE_H
