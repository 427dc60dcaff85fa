// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_LIB_CODEGEN_GPU_WORDS_H
#define PMPD_LIB_CODEGEN_GPU_WORDS_H

#include "lib/Codegen/gpu/GpuKernelBuilder.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

namespace pmpd::codegen {

/// Unsigned integers of 64 bits in a kernel whose blocks have as many warps as
/// a warp has lanes. Sums of them do not depend on their order.
class Words {
public:
  static constexpr int64_t warpSize = 32, threads = warpSize * warpSize;
  static constexpr int64_t bytes = sizeof(int64_t);

  explicit Words(GpuKernelBuilder &b);

  Value constant(int64_t value);
  Value extend(Value i32);
  Value truncate(Value word); ///< To i32.
  Value add(Value lhs, Value rhs);
  Value sub(Value lhs, Value rhs);
  Value shiftLeft(Value word, int64_t bits);
  Value shiftRight(Value word, int64_t bits);
  /// `fraction` / 2^64 of `word`, rounded down.
  Value share(Value fraction, Value word);
  Value orZero(Value condition, Value word);

  Value isBelow(Value lhs, Value rhs);
  Value isAtMost(Value lhs, Value rhs);
  Value isEqual(Value lhs, Value rhs);

  // Across threads, all of which take part; the result is in every one.
  Value sumOfWarp(Value word);
  Value minOfBlock(Value word);
  Value sumOfBlock(Value word);
  /// What `word` is in a thread of each warp, [32] in shared memory, until the
  /// barrier that follows the last read.
  Value fromWarps(Value word);

private:
  Value reduce(Value i32, mlir::NVVM::ReduxKind kind);
  Value minOfWarp(Value word);
  /// What each lane gets of fromWarps.
  Value ofWarps(Value word);

  GpuKernelBuilder &b;
  Type wide;
  Value warp, lane;
  Value exchanged; // [32], shared
};

} // namespace pmpd::codegen

#endif // PMPD_LIB_CODEGEN_GPU_WORDS_H
