// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_TEST_SIMT_LOADEDGPUKERNEL_H
#define PMPD_TEST_SIMT_LOADEDGPUKERNEL_H

#include "lib/Codegen/gpu/GpuKernels.h"
#include "test/simt/LoadedModule.h"

#include <string>

namespace pmpd::simt {

/// Asks a library for one kernel.
using MakeGpuKernel =
    llvm::function_ref<codegen::Kernel(codegen::GpuKernels &)>;

/// A kernel of the GPU that the executor runs.
class LoadedGpuKernel {
public:
  static llvm::Expected<LoadedGpuKernel> create(MakeGpuKernel make);

  /// Runs the blocks of a call of `rows` rows; `pointers` are what
  /// KernelLibrary says at the kernel. Returns an empty text, or what was
  /// wrong.
  std::string run(llvm::ArrayRef<void *> pointers, int64_t rows,
                  int64_t position, Order order = Order::Ascending) const;

private:
  LoadedGpuKernel(LoadedModule module, const Kernel &kernel, int64_t threads,
                  int64_t tasks, int64_t rowTile)
      : module(std::move(module)), kernel(kernel), threads(threads),
        tasks(tasks), rowTile(rowTile) {}

  LoadedModule module;
  Kernel kernel;
  int64_t threads;
  int64_t tasks; /// As in codegen::Kernel.
  int64_t rowTile;
};

} // namespace pmpd::simt

#endif // PMPD_TEST_SIMT_LOADEDGPUKERNEL_H
