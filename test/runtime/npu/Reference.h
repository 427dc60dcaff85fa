// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What include/pmpd/npu.h says each instruction computes, once more: one
// element at a time, without anything of the simulator.
#ifndef PMPD_TEST_RUNTIME_NPU_REFERENCE_H
#define PMPD_TEST_RUNTIME_NPU_REFERENCE_H

#include "pmpd/npu.h"

#include <vector>

namespace pmpd::test {

/// Executes an instruction of VPU, BPU or MXU, whose addresses have no
/// registers, on a scratchpad. `rows` is M, `visible` the register `treg`.
/// False if it traps.
bool executeReference(const pmpd_npu_instruction &instruction, int64_t rows,
                      int64_t visible, std::vector<uint8_t> &scratchpad);

float referenceHalfToFloat(uint16_t half);
uint16_t referenceFloatToHalf(float value);
float referenceExp(float x);

} // namespace pmpd::test

#endif // PMPD_TEST_RUNTIME_NPU_REFERENCE_H
