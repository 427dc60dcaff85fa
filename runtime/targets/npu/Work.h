// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_RUNTIME_TARGETS_NPU_WORK_H
#define PMPD_RUNTIME_TARGETS_NPU_WORK_H

#include "runtime/targets/npu/Isa.h"

#include <algorithm>

namespace pmpd::npu {

/// Most activation rows of one instruction; more trap.
constexpr uint64_t maxRows = 1 << 20;

/// An instruction whose registers have been read.
struct Work {
  const pmpd_npu_instruction *instruction = nullptr;
  uint32_t pc = 0;
  pmpd_npu_unit unit = PMPD_NPU_SEQ;
  uint64_t rows = 1;        ///< M
  uint64_t local[5] = {};   ///< addresses, in the order of the op's fields
  uint64_t dram = 0;        ///< LD, ST: first byte
  uint64_t length = 0;      ///< LD, ST: bytes of a run
  uint64_t count = 0;       ///< LD, ST: runs
  int64_t firstVisible = 0; ///< ATT: R[treg]

  uint64_t dmaBytes() const { return length * count; }
  /// Tokens of the tile that row m of an ATT sees.
  uint64_t visible(uint64_t row) const {
    // Wide enough for any register value.
    __int128 tokens = static_cast<__int128>(firstVisible) + row;
    return static_cast<uint64_t>(
        std::clamp<__int128>(tokens, 0, PMPD_NPU_ATT_TOKENS));
  }
};

/// A stretch of the scratchpad that an instruction touches.
struct Extent {
  uint64_t begin, bytes;
  uint32_t align;
  bool written;
};

/// What an instruction touches: at most 6 stretches.
struct Extents {
  Extent list[6];
  unsigned count = 0;

  void add(uint64_t begin, uint64_t bytes, uint32_t align, bool written) {
    list[count++] = {begin, bytes, align, written};
  }
  const Extent *begin() const { return list; }
  const Extent *end() const { return list + count; }
};

/// The stretches of the scratchpad of an instruction whose fields Verify.h
/// accepts. Nothing for no rows or no bytes.
Extents extentsOf(const Work &work);

} // namespace pmpd::npu

#endif // PMPD_RUNTIME_TARGETS_NPU_WORK_H
