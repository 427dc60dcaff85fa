// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/targets/npu/Sequencer.h"

#include <algorithm>
#include <cstring>

using namespace pmpd::npu;

void Sequencer::begin(uint32_t first, uint64_t most) {
  std::fill(std::begin(registers), std::end(registers), 0);
  for (unsigned base :
       {PMPD_NPU_R_WEIGHTS, PMPD_NPU_R_KV, PMPD_NPU_R_TOKENS, PMPD_NPU_R_LOGITS,
        PMPD_NPU_R_CONSTANTS, PMPD_NPU_R_SCRATCH})
    set(base, Memory::addressOf(static_cast<pmpd_npu_register>(base)));
  pc = first;
  executed = 0;
  budget = most;
}

Sequencer::Step Sequencer::scalar(const pmpd_npu_salu &salu) {
  uint64_t x = registers[salu.ra];
  uint64_t y = registers[salu.rb] + static_cast<uint64_t>(salu.imm);
  auto sx = static_cast<int64_t>(x), sy = static_cast<int64_t>(y);
  uint64_t result = 0;
  switch (salu.fn) {
  case PMPD_NPU_MOV:
    result = y;
    break;
  case PMPD_NPU_ADD:
    result = x + y;
    break;
  case PMPD_NPU_SUB:
    result = x - y;
    break;
  case PMPD_NPU_MUL:
    result = x * y;
    break;
  case PMPD_NPU_MIN:
    result = static_cast<uint64_t>(std::min(sx, sy));
    break;
  case PMPD_NPU_MAX:
    result = static_cast<uint64_t>(std::max(sx, sy));
    break;
  case PMPD_NPU_SHL:
    result = x << (y & 63);
    break;
  case PMPD_NPU_SHR:
    result = x >> (y & 63);
    break;
  case PMPD_NPU_AND:
    result = x & y;
    break;
  case PMPD_NPU_CEILDIV:
  case PMPD_NPU_REM:
    if (y == 0)
      return fail("it divides by zero");
    result = salu.fn == PMPD_NPU_REM ? x % y : x / y + (x % y != 0);
    break;
  case PMPD_NPU_LD32: {
    uint8_t *data;
    if (memory.find(x + y, 4, 1, 0, false, data) != Memory::Access::Ok)
      return fail("it reads a word outside of the memories");
    uint32_t word = 0;
    if (data)
      std::memcpy(&word, data, sizeof(word));
    result = word;
    break;
  }
  default:
    return fail("it has an unknown function");
  }
  set(salu.rd, result);
  return Step::Work;
}

Sequencer::Step Sequencer::beginLoop(const pmpd_npu_loop &loop) {
  uint64_t count = loop.creg ? registers[loop.creg] : loop.count;
  if (count > INT32_MAX)
    return fail("its loop runs more than 2^31 - 1 times");
  if (count == 0)
    pc += loop.body + 1; // behind ENDL
  else
    loops[loop.level] = {pc, count - 1};
  return Step::Work;
}

Sequencer::Step Sequencer::resolveDma(Work &work) {
  const pmpd_npu_dma &dma = work.instruction->dma;
  uint64_t value = registers[dma.h.rows];
  work.length = dma.h.flags & PMPD_NPU_F_LEN ? value : dma.len0;
  work.count = dma.h.flags & PMPD_NPU_F_CNT ? value : dma.cnt1;
  if (work.length > UINT32_MAX || work.count > UINT32_MAX)
    return fail("its length or count is negative or above 2^32 - 1");
  work.dram = registers[dma.breg] + registers[dma.oreg] +
              static_cast<uint64_t>(static_cast<int64_t>(dma.imm64) * 64);
  work.rows = 1;
  if (work.dmaBytes() == 0)
    return Step::Work;
  uint8_t *data;
  switch (memory.find(work.dram, work.length, work.count,
                      static_cast<uint64_t>(dma.dstride64) * 64,
                      dma.h.op == PMPD_NPU_ST, data)) {
  case Memory::Access::Ok:
    return Step::Work;
  case Memory::Access::ReadOnly:
    return fail("it stores to a memory that is read only");
  case Memory::Access::OutOfBounds:
    break;
  }
  return fail("it transfers outside of the memories");
}

Sequencer::Step Sequencer::resolve(Work &work) {
  const pmpd_npu_instruction &instruction = *work.instruction;
  const OpInfo &info = *findOp(instruction.h.op);
  work.unit = unitOf(instruction);
  unsigned locals = 0;
  for (const Field &field : info.fields)
    if (field.kind == FieldKind::Local) {
      auto local = static_cast<uint32_t>(getField(&instruction, field));
      work.local[locals++] =
          localOffset(local) + registers[localRegister(local)];
    }
  work.rows = instruction.h.rows ? registers[instruction.h.rows] : 1;
  if (instruction.h.op == PMPD_NPU_ATT)
    work.firstVisible = static_cast<int64_t>(registers[instruction.att.treg]);
  if (instruction.h.op == PMPD_NPU_LD || instruction.h.op == PMPD_NPU_ST)
    if (Step step = resolveDma(work); step != Step::Work)
      return step;
  if (work.rows > maxRows)
    return fail("its number of rows is negative or above 2^20");
  for (const Extent &extent : extentsOf(work)) {
    if (extent.begin > scratchpadBytes ||
        extent.bytes > scratchpadBytes - extent.begin)
      return fail("it reaches outside of the scratchpad");
    if (extent.begin % extent.align)
      return fail("an address of it is not aligned");
  }
  return Step::Work;
}

Sequencer::Step Sequencer::next(Work &work) {
  work.instruction = &code[pc];
  work.pc = pc;
  work.unit = PMPD_NPU_SEQ;
  if (executed == budget)
    return fail("the region has used up its budget of instructions");
  ++executed;
  ++pc;
  const pmpd_npu_instruction &instruction = *work.instruction;
  switch (instruction.h.op) {
  case PMPD_NPU_NOP:
    work.unit = unitOf(instruction);
    return Step::Work;
  case PMPD_NPU_FENCE:
  case PMPD_NPU_EVT:
    return Step::Work;
  case PMPD_NPU_HALT:
    return Step::Halted;
  case PMPD_NPU_SALU:
    return scalar(instruction.salu);
  case PMPD_NPU_LOOP:
    return beginLoop(instruction.loop);
  case PMPD_NPU_ENDL: {
    Loop &loop = loops[instruction.loop.level];
    if (loop.remaining) {
      --loop.remaining;
      pc = loop.body;
    }
    return Step::Work;
  }
  default:
    return resolve(work);
  }
}
