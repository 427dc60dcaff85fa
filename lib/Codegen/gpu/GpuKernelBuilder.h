// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_LIB_CODEGEN_GPU_GPUKERNELBUILDER_H
#define PMPD_LIB_CODEGEN_GPU_GPUKERNELBUILDER_H

#include "lib/Codegen/IntegerBuilder.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace pmpd::codegen {

using mlir::ValueRange;
using Values = llvm::SmallVector<Value>;

/// Writes the body of one GPU kernel. Integers are i32 and not negative unless
/// said otherwise; memory is reached by pointers and byte offsets.
class GpuKernelBuilder : public IntegerBuilder {
public:
  explicit GpuKernelBuilder(mlir::gpu::GPUFuncOp func);

  // The call.
  Value pointer(unsigned i) { return func.getArgument(i); }
  Value rows();     ///< Activation rows of the call.
  Value position(); ///< Tokens in the KV cache before the call.

  // Where this thread is.
  int64_t threads(); ///< Of a block.
  Value block();
  Value thread(); ///< In its block.
  Value warp();   ///< In its block.
  Value lane();   ///< In its warp.
  /// Waits for all threads of the block, and for what they wrote.
  void barrier();
  /// Waits for all that was launched before, and for what it wrote. A kernel
  /// that does not say where waits at its begin; until then it may only read
  /// weights.
  void waitForLaunchesBefore();

  // More of integers.
  Value bitAnd(Value lhs, int64_t rhs);
  Value shiftLeft(Value lhs, int64_t bits);
  Value shiftRight(Value lhs, int64_t bits); // zeros come in
  Value less(Value lhs, Value rhs);
  Value equal(Value lhs, int64_t rhs);

  // f32.
  Value real(double value);
  Value fma(Value lhs, Value rhs, Value addend);
  Value select(Value condition, Value then, Value otherwise);

  // Control.
  using Body = llvm::function_ref<void(Value)>;
  using CarryBody = llvm::function_ref<Values(Value, ValueRange)>;
  void loop(Value low, Value high, Value step, Body body);
  Values loop(Value low, Value high, Value step, ValueRange init,
              CarryBody body);
  void when(Value condition, llvm::function_ref<void()> body);
  /// What `body` makes of `values` if the condition holds, else these.
  Values when(Value condition, ValueRange values,
              llvm::function_ref<Values()> body);

  // Memory. Offsets are bytes, i32 that may reach 2^32 - 1 or i64.
  Value at(Value pointer, Value bytes);
  Value at(Value pointer, int64_t bytes);
  /// An element or a vector; `alignment` 0 is that of the type. `constant`: no
  /// kernel of this or an earlier launch writes it, so that it may be read
  /// through the read-only cache and ahead of time.
  Value load(Type type, Value pointer, unsigned alignment = 0,
             bool constant = false);
  void store(Value value, Value pointer, unsigned alignment = 0);
  /// An element of f16 or f32 as f32.
  Value loadReal(Type element, Value pointer, bool constant = false);
  /// An f32 as an element of f16 or f32.
  void storeReal(Value value, Type element, Value pointer);
  /// `bytes` of memory that the threads of a block share.
  Value shared(int64_t bytes);

  // Across the lanes of a warp, in which every lane takes part.
  Value exchange(Value value, int64_t laneDistance); ///< Of lane ^ distance.
  Value sumOfWarp(Value value);                      ///< f32, in every lane.
  Value maxOfWarp(Value value);
  // Across the threads of a block, the result in every thread.
  Value sumOfBlock(Value value);
  Value maxOfBlock(Value value);

private:
  Value callField(int64_t offset);
  Value reduceBlock(Value value, llvm::function_ref<Value(Value)> reduceWarp,
                    double neutral);

  mlir::gpu::GPUFuncOp func;
  unsigned sharedArrays = 0;
};

} // namespace pmpd::codegen

#endif // PMPD_LIB_CODEGEN_GPU_GPUKERNELBUILDER_H
