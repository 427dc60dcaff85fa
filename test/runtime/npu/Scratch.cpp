// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/runtime/npu/Scratch.h"

#include "runtime/targets/npu/Isa.h"
#include "runtime/targets/npu/Text.h"
#include "test/runtime/Fixture.h"
#include "test/runtime/npu/ProgramBuilder.h"
#include "test/runtime/npu/Reference.h"

#include <algorithm>

using namespace pmpd;
using namespace pmpd::test;

namespace {
constexpr const char *rowsRegister = "r10", *visibleRegister = "r11";
} // namespace

Scratch::Scratch(unsigned seed) : random(seed), content(scratchBytes) {
  for (uint8_t &byte : content)
    byte = static_cast<uint8_t>(random());
}

uint32_t Scratch::reserve(size_t count) {
  uint32_t address = used;
  used = static_cast<uint32_t>((used + count + 63) / 64 * 64);
  if (used > content.size())
    throw std::length_error("the operands exceed the test's scratchpad");
  return address;
}

uint32_t Scratch::floats(size_t count, float deviation) {
  uint32_t address = reserve(4 * count);
  std::normal_distribution<float> normal(0, deviation);
  for (size_t i = 0; i < count; ++i)
    put(address + 4 * i, normal(random));
  return address;
}

uint32_t Scratch::halves(size_t count, float deviation) {
  uint32_t address = reserve(2 * count);
  std::normal_distribution<float> normal(0, deviation);
  for (size_t i = 0; i < count; ++i)
    // One in eight is subnormal.
    put(address + 2 * i, random() % 8 ? referenceFloatToHalf(normal(random))
                                      : static_cast<uint16_t>(random() & 1023));
  return address;
}

uint32_t Scratch::codes(size_t count, bool wide) {
  int limit = wide ? 32767 : 127;
  uint32_t address = reserve(count * (wide ? 2 : 1));
  for (size_t i = 0; i < count; ++i) {
    int code = static_cast<int>(random() % (2 * limit + 1)) - limit;
    if (random() % 4 == 0)
      code = code < 0 ? -limit : limit;
    if (wide)
      put(address + 2 * i, static_cast<int16_t>(code));
    else
      put(address + i, static_cast<int8_t>(code));
  }
  return address;
}

uint32_t Scratch::groupScales(uint32_t codes, size_t count, unsigned group,
                              bool wide) {
  uint32_t address = reserve(count / group * 8);
  for (size_t g = 0; g < count / group; ++g) {
    pmpd_npu_group_scale scale = {
        std::ldexp(1.0f + static_cast<float>(random() % 1000) / 1000, -12), 0};
    for (size_t j = g * group; j < (g + 1) * group; ++j)
      scale.sum += wide ? get<int16_t>(codes + 2 * j) : get<int8_t>(codes + j);
    put(address + 8 * g, scale);
  }
  return address;
}

pmpd_status pmpd::test::simulate(const pmpd_npu_instruction &instruction,
                                 int64_t rows, int64_t visible,
                                 const std::vector<uint8_t> &before,
                                 std::vector<uint8_t> &after) {
  ProgramBuilder builder;
  builder.required.scratchpad_bytes = scratchBytes;
  builder.abi.layers = builder.abi.heads = builder.abi.kv_heads = 1;
  builder.abi.head_dim = 128;
  builder.abi.context = 384;
  builder.abi.kv_bytes = scratchBytes; // 6 tiles of 64 x 128 fp16, K and V
  builder.constants = before;
  std::string all = " len0=" + std::to_string(scratchBytes) + " cnt1=1";
  builder.add("ld mode=qw post=0 breg=r5" + all);
  builder.add(std::string("salu.mov rd=") + rowsRegister +
              " imm=" + std::to_string(rows));
  builder.add(std::string("salu.mov rd=") + visibleRegister +
              " imm=" + std::to_string(visible));
  builder.add(instruction);
  builder.add("st mode=qs wait=1 breg=r2" + all);
  std::vector<uint8_t> file = builder.bytes();
  npu::Program program;
  if (pmpd_status status =
          npu::Program::load("test", file.data(), file.size(), program))
    return status;
  npu::Hardware hardware;
  if (pmpd_status status = npu::Hardware::find("ref", hardware))
    return status;
  uint8_t weights[64] = {};
  std::unique_ptr<npu::Machine> machine;
  if (pmpd_status status = npu::Machine::create(
          program, hardware, {weights, sizeof(weights)}, machine))
    return status;
  int32_t token = 0;
  if (pmpd_status status =
          machine->run(program.regions()[0], {&token, 1, 0, 0, nullptr},
                       npu::Mode::Functional))
    return status;
  after.assign(machine->kv(), machine->kv() + scratchBytes);
  return PMPD_OK;
}

/// With the semaphores and registers that simulate() uses.
static pmpd_npu_instruction connected(pmpd_npu_instruction instruction) {
  pmpd_npu_header &h = instruction.h;
  h.wait0 = 0;
  h.post0 = 1;
  h.wait1 = h.post1 = PMPD_NPU_NO_SEMAPHORE;
  h.rows = npu::findOp(h.op)->hasRows ? 10 : 0;
  if (h.op == PMPD_NPU_ATT)
    instruction.att.treg = 11;
  return instruction;
}

std::vector<uint8_t> pmpd::test::expectSame(pmpd_npu_instruction instruction,
                                            const Scratch &scratch,
                                            int64_t rows, int64_t visible) {
  instruction = connected(instruction);
  SCOPED_TRACE(npu::disassemble(instruction) + " with " + std::to_string(rows) +
               " rows, visible " + std::to_string(visible));
  std::vector<uint8_t> actual, expected = scratch.content;
  EXPECT_TRUE(executeReference(instruction, rows, visible, expected));
  EXPECT_PMPD_OK(simulate(instruction, rows, visible, scratch.content, actual));
  EXPECT_NE(expected, scratch.content) << "the instruction did nothing";
  if (actual.size() == expected.size()) {
    auto at = std::mismatch(actual.begin(), actual.end(), expected.begin());
    EXPECT_EQ(at.first, actual.end())
        << "differs at byte " << at.first - actual.begin();
  }
  return expected;
}

void pmpd::test::expectTrap(pmpd_npu_instruction instruction,
                            const Scratch &scratch, const char *why,
                            int64_t visible) {
  instruction = connected(instruction);
  SCOPED_TRACE(npu::disassemble(instruction));
  std::vector<uint8_t> after, expected = scratch.content;
  EXPECT_FALSE(executeReference(instruction, 1, visible, expected));
  EXPECT_FAILS(PMPD_BAD_MODEL, why,
               simulate(instruction, 1, visible, scratch.content, after));
}
