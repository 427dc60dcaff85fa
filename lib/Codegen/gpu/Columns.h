// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_LIB_CODEGEN_GPU_COLUMNS_H
#define PMPD_LIB_CODEGEN_GPU_COLUMNS_H

#include "lib/Codegen/gpu/GpuKernelBuilder.h"

namespace pmpd::codegen {

/// The columns of rows of f16 or f32, spread over the threads of a block: four
/// adjacent ones at a time where rows are whole such pieces, which are then
/// aligned to their size, else single ones. An f32 value of a piece is a vector
/// or a scalar.
class Columns {
public:
  Columns(GpuKernelBuilder &b, int64_t cols)
      : b(b), cols(cols), width(cols % 4 == 0 ? 4 : 1) {}

  /// Row `row` of a matrix of these columns; rows may be many.
  Value row(Value matrix, Value row, Type element);

  /// Runs `body` with the first column of every piece.
  void each(llvm::function_ref<void(Value col)> body);
  /// The sum over all columns of the pieces of `term`, in every thread.
  Value sum(llvm::function_ref<Value(Value col)> term);

  /// The piece of a row at `col`.
  Value load(Type element, Value row, Value col, bool constant = false);
  void store(Value value, Type element, Value row, Value col);

  /// An f32 in every element of a piece.
  Value splat(Value scalar);
  Value splat(double value) { return splat(b.real(value)); }

private:
  Type piece(Type element);
  unsigned bytesOf(Type element) { return element.isF16() ? 2 : 4; }

  GpuKernelBuilder &b;
  int64_t cols;
  unsigned width;
};

} // namespace pmpd::codegen

#endif // PMPD_LIB_CODEGEN_GPU_COLUMNS_H
