// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_RUNTIME_TARGETS_NPU_VERIFY_H
#define PMPD_RUNTIME_TARGETS_NPU_VERIFY_H

#include "runtime/targets/npu/Program.h"

#include <string>
#include <vector>

namespace pmpd::npu {

/// Checks the instructions of every region before any of them runs: op codes,
/// field ranges, reserved bytes, loop structure and the HALT at the end,
/// scratchpad bounds of addresses without registers, and tokens (Tokens.h).
/// What registers decide is checked when it happens, and traps.
/// Errors: BAD_MODEL, naming region and instruction.
pmpd_status verify(const Program &program);

/// What is wrong with the fields of one instruction on its own; "" if nothing.
std::string checkInstruction(const pmpd_npu_instruction &instruction,
                             uint64_t scratchpadBytes);

} // namespace pmpd::npu

#endif // PMPD_RUNTIME_TARGETS_NPU_VERIFY_H
