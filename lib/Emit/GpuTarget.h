// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef LIB_EMIT_GPUTARGET_H
#define LIB_EMIT_GPUTARGET_H

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "llvm/Support/Error.h"
#include "llvm/Target/TargetMachine.h"

#include <memory>
#include <string>

namespace pmpd::emit {

/// A generation of NVIDIA GPUs to generate code for.
struct GpuTarget {
  std::unique_ptr<llvm::TargetMachine> machine;
  int sm; /// 90 for sm_90.

  std::string chip() const { return machine->getTargetCPU().str(); }
};

/// Resolves `chip`, such as `sm_90`.
llvm::Expected<GpuTarget> resolveGpu(llvm::StringRef chip);

/// PTX of the kernels of `module`, which is in the LLVM and NVVM dialects.
/// Returns an empty text after a diagnostic on failure.
std::string makePtx(mlir::gpu::GPUModuleOp module, const GpuTarget &target);

/// Path of NVIDIA's assembler: `ptxas` of $CUDA_HOME, of $PATH or of
/// /usr/local/cuda; empty if there is none.
std::string findPtxas();

/// Assembles PTX for `target`.
llvm::Expected<std::string> assemble(const std::string &ptxas,
                                     llvm::StringRef ptx,
                                     const GpuTarget &target);

} // namespace pmpd::emit

#endif // LIB_EMIT_GPUTARGET_H
