// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kernels of the CPU, generated on demand into a module.
//
// Every kernel is a function over the pointers that KernelLibrary.h gives, then
// %rows, %position, %begin, %end: the rows of activations, the tokens in the KV
// cache before this call, and the range of tasks to compute. Tasks are
// independent and any split of them gives the same bits.
#ifndef PMPD_LIB_CODEGEN_CPUKERNELS_H
#define PMPD_LIB_CODEGEN_CPUKERNELS_H

#include "lib/Codegen/KernelBuilder.h"
#include "lib/Codegen/KernelLibrary.h"

#include "mlir/IR/BuiltinOps.h"

namespace pmpd::codegen {

class CpuKernels : public KernelLibrary {
public:
  CpuKernels(mlir::ModuleOp module, Target target);

  /// Layouts s and plain.
  llvm::Expected<Kernel> linearNested(Layout layout,
                                      const NestedLinear &shape) override;
  /// Layout s; a task is a panel of 16 rows of the weight. The input is f32 or
  /// quantized rows of the same group.
  Kernel linearS(const NestedLinear &shape);
  /// Layout plain, F32 activations only.
  Kernel linearPlain(const NestedLinear &shape);
  /// A task is 4 weight rows.
  Kernel linearDense(const DenseLinear &shape) override;

  /// In the format of RowFormat.h.
  Kernel quantizeRows(int64_t cols, unsigned bits, int64_t group) override;

  Kernel embed(int64_t cols, Type table, double scale) override;
  Kernel addPosition(int64_t cols, Type table, int64_t offset) override;
  Kernel rmsNorm(int64_t heads, int64_t cols, Type weight, double eps) override;
  Kernel layerNorm(int64_t cols, Type weight, Type bias, double eps) override;
  Kernel rope(const RopeShape &shape) override;

  Kernel kvAppend(const CacheShape &shape) override;
  /// (K or V of a layer, the same as f32); a task is a head, of which %rows
  /// positions are converted.
  Kernel widenCache(const CacheShape &shape);
  /// One kernel; a task is a head of the cache for a tile of rows.
  AttentionKernels attention(const AttentionShape &shape) override;

  Kernel activate(int64_t cols, ActivationKind kind) override;
  Kernel add(int64_t cols) override;
  Kernel mul(int64_t cols) override;

  mlir::MLIRContext *getContext() override { return module.getContext(); }

private:
  using Body = llvm::function_ref<void(KernelBuilder &)>;

  /// The function `name`, whose `body` is written the first time it is asked
  /// for.
  mlir::func::FuncOp get(llvm::StringRef name,
                         llvm::ArrayRef<mlir::MemRefType> pointers, Body body);

  mlir::MemRefType f32Rows(int64_t cols);
  mlir::MemRefType bytes(int64_t count);

  mlir::ModuleOp module;
  Target target;
};

} // namespace pmpd::codegen

#endif // PMPD_LIB_CODEGEN_CPUKERNELS_H
