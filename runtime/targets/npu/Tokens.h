// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_RUNTIME_TARGETS_NPU_TOKENS_H
#define PMPD_RUNTIME_TARGETS_NPU_TOKENS_H

#include "pmpd/npu.h"

#include <string>

namespace pmpd::npu {

/// Simulates the semaphores of a region whose loops are properly nested, in
/// program order and with loops summed up. Every token waited for must have
/// been posted by an earlier instruction, a loop whose count is a register's
/// must leave every semaphore as it found it, one semaphore is waited for by
/// one unit, and none exceeds PMPD_NPU_SEMAPHORE_MAX. Then no schedule of the
/// units deadlocks: the earliest instruction in program order that has not
/// started can always start.
///
/// Returns "" or what is wrong with instruction `at`.
std::string checkTokens(const pmpd_npu_instruction *code, uint32_t count,
                        uint32_t &at);

} // namespace pmpd::npu

#endif // PMPD_RUNTIME_TARGETS_NPU_TOKENS_H
