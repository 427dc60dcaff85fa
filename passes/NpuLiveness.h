// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PASSES_NPULIVENESS_H
#define PASSES_NPULIVENESS_H

#include "dialects/NPU/NPU.h"

namespace pmpd {

/// From the first to the last instruction that may use a buffer or register.
struct LiveRange {
  mlir::Value value;
  int64_t begin, end;
};

/// Live ranges of the buffers or registers (of type `Op`) of a program, by
/// their begin. What is used in a loop and made outside lives throughout the
/// loop; a ring lives throughout the program, because its producer runs ahead
/// of all else. What is never used is left out.
template <typename Op>
llvm::SmallVector<LiveRange> findLiveRanges(npu::ProgramOp program);

/// Gives every buffer that has a size, the largest first, the lowest address
/// that is free while it lives; with `assign`, sets it. Returns the bytes
/// needed.
int64_t placeBuffers(npu::ProgramOp program, bool assign);

} // namespace pmpd

#endif // PASSES_NPULIVENESS_H
