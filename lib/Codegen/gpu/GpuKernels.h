// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kernels of NVIDIA GPUs, generated on demand into a module.
//
// Every kernel is a gpu.func over the pointers that KernelLibrary.h gives, then
// one to a pmpd_gpu_call, all to the memory of the device. It is launched with
// `tasks` blocks for every `rowTile` rows begun, or in all if that is 0: block
// tile * tasks + task. Grid and block have one dimension, shared memory is
// static. Only weights are read ahead of what precedes the launch. Rows whose
// bytes are a multiple of 16 begin at such a multiple.
#ifndef PMPD_LIB_CODEGEN_GPU_GPUKERNELS_H
#define PMPD_LIB_CODEGEN_GPU_GPUKERNELS_H

#include "lib/Codegen/KernelLibrary.h"
#include "lib/Codegen/gpu/GpuKernelBuilder.h"

#include "mlir/IR/BuiltinOps.h"

namespace pmpd::codegen {

class GpuKernels : public KernelLibrary {
public:
  /// The module of the kernels, beside the model.
  static constexpr const char *moduleName = "pmpd_kernels";
  /// Threads of a block that works on one row, of every kernel that works by
  /// rows: only kernels of equal blocks can be fused.
  static constexpr int64_t rowThreads = 256;

  /// Adds to the gpu.module of `module`, or makes one.
  explicit GpuKernels(mlir::ModuleOp module);

  /// Layout gpu, activations of 16 bits in the format of GpuRowFormat.h.
  llvm::Expected<Kernel> linearNested(Layout layout,
                                      const NestedLinear &shape) override;
  Kernel linearDense(const DenseLinear &shape) override;

  /// To the format of GpuRowFormat.h: `bits` is 16, `group` a multiple of 128.
  Kernel quantizeRows(int64_t cols, unsigned bits, int64_t group) override;

  Kernel embed(int64_t cols, Type table, double scale) override;
  Kernel addPosition(int64_t cols, Type table, int64_t offset) override;
  Kernel rmsNorm(int64_t heads, int64_t cols, Type weight, double eps) override;
  Kernel layerNorm(int64_t cols, Type weight, Type bias, double eps) override;
  Kernel rope(const RopeShape &shape) override;

  Kernel kvAppend(const CacheShape &shape) override;
  AttentionKernels attention(const AttentionShape &shape) override;

  Kernel activate(int64_t cols, ActivationKind kind) override;
  Kernel add(int64_t cols) override;
  Kernel mul(int64_t cols) override;

  /// (logits [vocab], pmpd_gpu_sampling, scratch [sampleScratch], i32): the
  /// token that pmpd_model_desc.gpu_sample chooses, by one block.
  Kernel sample(int64_t vocab);
  static uint64_t sampleScratch(int64_t vocab);

  mlir::MLIRContext *getContext() override { return module->getContext(); }

private:
  using Body = llvm::function_ref<void(GpuKernelBuilder &)>;

  /// The kernel `name` of `pointers` and blocks of `threads`, whose `body` is
  /// written the first time it is asked for.
  mlir::gpu::GPUFuncOp get(llvm::StringRef name, unsigned pointers,
                           int64_t threads, Body body);
  /// A kernel of a block per row; the body has the row and writes for all its
  /// columns.
  Kernel byRows(llvm::StringRef name, unsigned pointers,
                llvm::function_ref<void(GpuKernelBuilder &, Value)> body);

  mlir::gpu::GPUModuleOp module;
};

} // namespace pmpd::codegen

#endif // PMPD_LIB_CODEGEN_GPU_GPUKERNELS_H
