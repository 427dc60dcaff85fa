// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Single kernels, generated and loaded into this process, as tests and
// measurements call them.
#ifndef LIB_EMIT_LOADEDKERNEL_H
#define LIB_EMIT_LOADEDKERNEL_H

#include "lib/Codegen/CpuKernels.h"
#include "lib/Emit/CpuTarget.h"

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/Support/CodeGen.h"

namespace llvm::orc {
class LLJIT;
} // namespace llvm::orc

namespace pmpd::emit {

/// Asks a library for one kernel.
using MakeKernel = llvm::function_ref<codegen::Kernel(codegen::CpuKernels &)>;

/// A kernel as assembly or as an object in which its function is visible.
struct KernelCode {
  std::string name; /// Of the function.
  int64_t tasks;
  int64_t rowTile; /// As in codegen::Kernel.
  llvm::SmallVector<char, 0> contents;
};
llvm::Expected<KernelCode> generateKernel(const CpuTarget &target,
                                          llvm::CodeGenFileType type,
                                          MakeKernel make);

/// A kernel that can be called. It may use no symbol of the process.
class LoadedKernel {
public:
  /// `target` must be able to run here.
  static llvm::Expected<LoadedKernel> create(const CpuTarget &target,
                                             MakeKernel make);
  LoadedKernel(LoadedKernel &&);
  ~LoadedKernel();

  int64_t tasks(int64_t rows) const {
    return rowTile ? count * ((rows + rowTile - 1) / rowTile) : count;
  }

  /// Computes tasks begin .. end-1; `pointers`, 2 to 4, are what CpuKernels
  /// says at the kernel.
  void run(llvm::ArrayRef<void *> pointers, int64_t rows, int64_t position,
           int64_t begin, int64_t end) const;

private:
  LoadedKernel(std::unique_ptr<llvm::orc::LLJIT> jit, uintptr_t address,
               const KernelCode &code);
  std::unique_ptr<llvm::orc::LLJIT> jit;
  uintptr_t address;
  int64_t count;
  int64_t rowTile;
};

} // namespace pmpd::emit

#endif // LIB_EMIT_LOADEDKERNEL_H
