// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_TEST_RUNTIME_NPU_FUZZINPUT_H
#define PMPD_TEST_RUNTIME_NPU_FUZZINPUT_H

#include <cstdint>
#include <vector>

namespace pmpd::test {

enum class FuzzResult { Refused, Trapped, Ran };

/// Loads a program file and runs each of its regions on the machine "ref",
/// timed and functionally. Runs nothing that may legitimately take long or much
/// memory. Aborts if an error has an unexpected status.
FuzzResult runFuzzInput(const std::vector<uint8_t> &file);

} // namespace pmpd::test

#endif // PMPD_TEST_RUNTIME_NPU_FUZZINPUT_H
