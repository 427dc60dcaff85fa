// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// libFuzzer's entry; RATIONALE.md beside the machine says how to run it.
#include "test/runtime/npu/FuzzInput.h"
#include "test/runtime/npu/ProgramBuilder.h"

#include <cstddef>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
  std::vector<uint8_t> file(data, data + bytes);
  pmpd::test::reseal(file); // or no mutation would pass the checksums
  pmpd::test::runFuzzInput(file);
  return 0;
}
