// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Kernels that are still to be written; each moves out of here.
#include "lib/Codegen/gpu/GpuKernels.h"

namespace pmpd::codegen {

[[noreturn]] static void pending() {
  llvm::report_fatal_error("this GPU kernel is still to be written");
}

Kernel GpuKernels::embed(int64_t, Type, double) { pending(); }
Kernel GpuKernels::addPosition(int64_t, Type, int64_t) { pending(); }
Kernel GpuKernels::rmsNorm(int64_t, Type, double) { pending(); }
Kernel GpuKernels::layerNorm(int64_t, Type, Type, double) { pending(); }
Kernel GpuKernels::rope(const RopeShape &) { pending(); }
Kernel GpuKernels::kvAppend(const CacheShape &) { pending(); }
AttentionKernels GpuKernels::attention(const AttentionShape &) { pending(); }
Kernel GpuKernels::activate(int64_t, ActivationKind) { pending(); }

} // namespace pmpd::codegen
