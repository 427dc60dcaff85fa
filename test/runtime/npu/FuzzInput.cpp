// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/runtime/npu/FuzzInput.h"

#include "runtime/targets/npu/Machine.h"
#include "runtime/targets/npu/Text.h"

#include <cstdlib>

using namespace pmpd;
using namespace pmpd::test;

static constexpr uint64_t mostBytes = 1 << 22, mostInstructions = 5000;

static void expect(bool holds) {
  if (!holds)
    std::abort();
}

FuzzResult pmpd::test::runFuzzInput(const std::vector<uint8_t> &file) {
  npu::Program program;
  pmpd_status status =
      npu::Program::load("fuzz", file.data(), file.size(), program);
  expect(status == PMPD_OK || status == PMPD_BAD_MODEL);
  if (status != PMPD_OK)
    return FuzzResult::Refused;
  std::vector<uint8_t> again;
  expect(npu::assemble("fuzz", npu::disassemble(program), again) == PMPD_OK);
  expect(again == file);

  npu::Hardware hardware;
  expect(npu::Hardware::find("ref", hardware) == PMPD_OK);
  if (program.abi().kv_bytes > mostBytes || program.abi().vocab > mostBytes / 4)
    return FuzzResult::Refused;
  std::vector<uint8_t> weights(4096, 0x5A);
  std::unique_ptr<npu::Machine> machine;
  status = npu::Machine::create(program, hardware,
                                {weights.data(), weights.size()}, machine);
  expect(status == PMPD_OK || status == PMPD_BAD_MODEL);
  if (status != PMPD_OK)
    return FuzzResult::Refused;
  FuzzResult result = FuzzResult::Ran;
  int32_t token = 1;
  std::vector<float> logits(program.abi().vocab);
  for (const pmpd_npu_region &region : program.regions()) {
    if (region.budget > mostInstructions || region.dram_scratch > mostBytes)
      continue;
    for (npu::Mode mode : {npu::Mode::Timing, npu::Mode::Both}) {
      status = machine->run(region, {&token, 1, 0, 1, logits.data()}, mode);
      expect(status == PMPD_OK || status == PMPD_BAD_MODEL);
      if (status != PMPD_OK)
        result = FuzzResult::Trapped;
    }
  }
  return result;
}
