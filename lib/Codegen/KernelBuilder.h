// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_LIB_CODEGEN_KERNELBUILDER_H
#define PMPD_LIB_CODEGEN_KERNELBUILDER_H

#include "lib/Codegen/IntegerBuilder.h"
#include "lib/Codegen/Target.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinTypes.h"

namespace pmpd::codegen {

using mlir::ValueRange;
using Values = llvm::SmallVector<Value>;

/// Nominal rows of an activation buffer. The bare-pointer convention needs
/// static shapes and only strides reach the code, so kernels of all row
/// capacities are the same.
constexpr int64_t anyRows = 1 << 20;

/// Writes the body of one kernel: arguments, loops, indices, and f32 vectors
/// whose width follows the target. Anything at all that is per operation of the
/// model stays out of it.
class KernelBuilder : public IntegerBuilder {
public:
  KernelBuilder(mlir::func::FuncOp func, const Target &target);

  const Target &target() const { return machine; }
  unsigned lanes() const { return machine.lanes(); }

  unsigned pointers() { return func.getNumArguments() - 4; }
  Value pointer(unsigned i) { return func.getArgument(i); }
  Value rows() { return scalarArgument(0); }
  Value position() { return scalarArgument(1); }

  Value index(int64_t value) { return constant(value); }

  // Loops. A body with carried values returns the next ones.
  using Body = llvm::function_ref<void(Value)>;
  using CarryBody = llvm::function_ref<Values(Value, ValueRange)>;
  void loop(Value low, Value high, int64_t step, Body body);
  Values loop(Value low, Value high, int64_t step, ValueRange init,
              CarryBody body);
  /// Where the indices `lhs` and `rhs` compare so.
  void doIf(mlir::arith::CmpIPredicate predicate, Value lhs, Value rhs,
            llvm::function_ref<void()> body);
  /// For every task of the call.
  void tasks(Body body);
  /// For every `tile` tasks, less at the end: the first, and how many.
  void tasks(int64_t tile, llvm::function_ref<void(Value, Value)> body);
  /// For every vector of `width` of `cols` columns: the first column and how
  /// many there are, less than `width` only in the last.
  Values columns(int64_t cols, unsigned width, ValueRange init,
                 llvm::function_ref<Values(Value, int64_t, ValueRange)> body);
  void columns(int64_t cols, llvm::function_ref<void(Value, int64_t)> body);

  // Vectors.
  mlir::VectorType vectorOf(Type element, unsigned width);
  Value splat(double value, unsigned width);
  Value splat(Value scalar, unsigned width);
  Value splatBytes(uint8_t value, unsigned width);
  Value splatInt(int32_t value, unsigned width);
  /// `count` elements of f16 or f32 as f32, zeros up to `width`.
  Value load(Value memref, ValueRange at, int64_t count, unsigned width);
  /// The first `count` elements of an f32 vector, to f16 or f32.
  void store(Value vector, Value memref, ValueRange at, int64_t count);
  /// One element of f16 or f32 as f32.
  Value loadScalar(Value memref, ValueRange at);
  /// lhs * rhs + addend, with one rounding where the target has it.
  Value fma(Value lhs, Value rhs, Value addend);
  Value real(double value);
  /// Sums of consecutive lanes: of `n` vectors, n a power of two, lane n * q +
  /// i is the sum of the lanes n * q to n * q + n - 1 of vectors[i].
  Value sumsOf(Values vectors);
  /// Sum or maximum of all elements, in halves: the order is fixed.
  Value sumOf(Value vector);
  Value maxOf(Value vector);
  Value extract(Value vector, int64_t position);
  Value slice(Value vector, int64_t offset, int64_t count);
  /// An f32 vector with zeros appended up to `width`.
  Value pad(Value vector, unsigned width);

  /// Memory that a call of the kernel has to itself, on its stack.
  Value scratch(llvm::ArrayRef<int64_t> shape, Type element);

  /// `count` elements of `element` from byte `offset` of an i8 buffer, as a
  /// memref of `shape`.
  Value view(Value bytes, int64_t offset, llvm::ArrayRef<int64_t> shape,
             Type element);

private:
  Value scalarArgument(unsigned i);
  Value halfToFloat(Value vector);
  Value floatToHalf(Value vector);
  Value foldHalves(Value vector,
                   llvm::function_ref<Value(Value, Value)> combine);

  mlir::func::FuncOp func;
  Target machine;
};

} // namespace pmpd::codegen

#endif // PMPD_LIB_CODEGEN_KERNELBUILDER_H
