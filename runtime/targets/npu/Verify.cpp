// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/targets/npu/Verify.h"
#include "runtime/targets/npu/Tokens.h"
#include "runtime/targets/npu/Work.h"

#include <algorithm>
#include <cmath>
#include <cstring>

using namespace pmpd::npu;
using pmpd::rt::fail;

namespace {

std::string number(uint64_t value) { return std::to_string(value); }

std::string checkHeader(const pmpd_npu_header &h, const OpInfo &info) {
  for (uint8_t semaphore : {h.wait0, h.wait1, h.post0, h.post1})
    if (semaphore >= PMPD_NPU_SEMAPHORES && semaphore != PMPD_NPU_NO_SEMAPHORE)
      return "expected a semaphore below " + number(PMPD_NPU_SEMAPHORES) +
             ", but got " + number(semaphore);
  if (h.flags & ~info.flags)
    return "it has flags it does not know";
  uint8_t mode = info.hasGroup ? h.mode & 15 : h.mode;
  if (mode > info.maxMode || (info.hasGroup && h.mode & 0x80))
    return "expected a mode up to " + number(info.maxMode) + ", but got " +
           number(mode);
  if (h.rows >= PMPD_NPU_REGISTERS || (h.rows && !info.hasRows))
    return "expected a register below 32 for its rows, but got " +
           number(h.rows);
  return "";
}

/// Every field in its range, every other byte zero.
std::string checkFields(const pmpd_npu_instruction &instruction,
                        const OpInfo &info) {
  pmpd_npu_instruction rest = instruction;
  rest.h = {};
  for (const Field &field : info.fields) {
    uint64_t value = getField(&instruction, field);
    setField(&rest, field, 0);
    if (field.kind == FieldKind::Register && value >= PMPD_NPU_REGISTERS)
      return std::string("expected a register below 32 for ") + field.name +
             ", but got " + number(value);
    if (field.kind == FieldKind::Local && value >> 29)
      return std::string("expected bits 31:29 of ") + field.name +
             " to be zero";
    if (field.kind == FieldKind::Float) {
      float real;
      std::memcpy(&real, &value, sizeof(real));
      if (!std::isfinite(real))
        return std::string("expected ") + field.name + " to be finite";
    }
  }
  if (std::any_of(std::begin(rest.bytes), std::end(rest.bytes),
                  [](uint8_t byte) { return byte; }))
    return "a reserved byte is not zero";
  return "";
}

/// Relations between fields that the units rely on.
std::string checkShapes(const pmpd_npu_instruction &in) {
  const pmpd_npu_header &h = in.h;
  unsigned group = groupOf(h), bits = h.mode & 15;
  switch (h.op) {
  case PMPD_NPU_SALU:
    return in.salu.fn > PMPD_NPU_LD32 ? "its function is unknown" : "";
  case PMPD_NPU_FENCE:
    return in.mark.value >> PMPD_NPU_UNITS ? "it drains unknown units" : "";
  case PMPD_NPU_LD:
  case PMPD_NPU_ST:
    if (h.mode < PMPD_NPU_QW)
      return "expected a DMA queue, 1 to 4";
    if ((h.flags & PMPD_NPU_F_LEN) && (h.flags & PMPD_NPU_F_CNT))
      return "a register may replace the length or the count, not both";
    return h.rows && !h.flags ? "it has a register but no use for it" : "";
  case PMPD_NPU_QACT:
    return in.qact.K % group ? "K is not a multiple of the group" : "";
  case PMPD_NPU_BPMV:
  case PMPD_NPU_MMQ: {
    bool vector = h.op == PMPD_NPU_BPMV;
    unsigned k = vector ? in.bpmv.K : in.mmq.K;
    if (bits == 0)
      return "expected 1 to 4 planes";
    if ((h.flags & PMPD_NPU_F_LUT) && (h.flags & PMPD_NPU_F_AFFINE))
      return "a weight is a codebook or affine, not both";
    if (k % group)
      return "K is not a multiple of the group";
    if (!vector && (32 * in.mmq.xcols32 % group || 32u * in.mmq.xcols32 < k))
      return "expected xcols32 to hold K and whole groups";
    return "";
  }
  case PMPD_NPU_ATT:
    if (in.att.hd8 == 0 || in.att.nq == 0 || in.att.heads < in.att.nq)
      return "expected a head dimension and nq from 1 to heads";
    return "";
  case PMPD_NPU_NORM:
    return in.norm.D == 0 ? "expected at least one element" : "";
  case PMPD_NPU_ROPE:
    return 2 * in.rope.n > 8 * in.rope.hd8 ? "it rotates more than a head" : "";
  case PMPD_NPU_RED:
    if (in.red.n == 0)
      return "expected at least one element";
    return h.mode && in.red.rd ? "a maximum has no register" : "";
  case PMPD_NPU_KVQ:
    if (h.mode == PMPD_NPU_KV_I4 && in.kvq.hd % 2)
      return "expected an even head dimension";
    return "";
  default:
    return "";
  }
}

std::string checkScratchpad(const pmpd_npu_instruction &instruction,
                            const OpInfo &info, uint64_t scratchpadBytes) {
  constexpr uint64_t unknown = uint64_t(1) << 48; // beyond all that is known
  Work work;
  work.instruction = &instruction;
  unsigned locals = 0;
  for (const Field &field : info.fields)
    if (field.kind == FieldKind::Local) {
      auto local = static_cast<uint32_t>(getField(&instruction, field));
      work.local[locals++] =
          localOffset(local) + (localRegister(local) ? unknown : 0);
    }
  if (instruction.h.op == PMPD_NPU_LD || instruction.h.op == PMPD_NPU_ST) {
    const pmpd_npu_dma &dma = instruction.dma;
    work.length = dma.h.flags & PMPD_NPU_F_LEN ? 0 : dma.len0;
    work.count = dma.h.flags & PMPD_NPU_F_CNT ? 0 : dma.cnt1;
  }
  for (const Extent &extent : extentsOf(work)) {
    if (extent.bytes > scratchpadBytes)
      return "it needs " + number(extent.bytes) +
             " bytes in one piece, more than the scratchpad of " +
             number(scratchpadBytes);
    if (extent.begin < unknown && extent.begin > scratchpadBytes - extent.bytes)
      return "it reaches to byte " + number(extent.begin + extent.bytes) +
             " of a scratchpad of " + number(scratchpadBytes);
  }
  return "";
}

/// Loops are properly nested and the region ends with its only HALT.
std::string checkStructure(const pmpd_npu_instruction *code, uint32_t count,
                           uint32_t &at) {
  std::vector<uint32_t> ends; // of the open loops: where their ENDL is
  for (at = 0; at < count; ++at) {
    const pmpd_npu_instruction &in = code[at];
    if ((in.h.op == PMPD_NPU_HALT) != (at + 1 == count))
      return "expected HALT as the last instruction of the region and only "
             "there";
    if (in.h.op == PMPD_NPU_LOOP) {
      if (in.loop.level != ends.size() || ends.size() == PMPD_NPU_LOOP_LEVELS)
        return "expected loop level " + number(ends.size()) + " of " +
               number(PMPD_NPU_LOOP_LEVELS) + ", but got " +
               number(in.loop.level);
      uint64_t end = static_cast<uint64_t>(at) + 1 + in.loop.body;
      if (end >= (ends.empty() ? count : ends.back()))
        return "its body reaches beyond the region or the loop around it";
      if (in.loop.count > INT32_MAX)
        return "it runs more than 2^31 - 1 times";
      ends.push_back(static_cast<uint32_t>(end));
    } else if (in.h.op == PMPD_NPU_ENDL) {
      if (ends.empty() || ends.back() != at ||
          in.loop.level + 1u != ends.size())
        return "it does not end the loop that is open";
      ends.pop_back();
    } else if (!ends.empty() && ends.back() == at) {
      return "expected ENDL of the loop around it";
    }
  }
  return "";
}

} // namespace

std::string pmpd::npu::checkInstruction(const pmpd_npu_instruction &instruction,
                                        uint64_t scratchpadBytes) {
  const OpInfo *info = findOp(instruction.h.op);
  if (!info)
    return "there is no op " + number(instruction.h.op);
  std::string why = checkHeader(instruction.h, *info);
  if (why.empty())
    why = checkFields(instruction, *info);
  if (why.empty())
    why = checkShapes(instruction);
  if (why.empty())
    why = checkScratchpad(instruction, *info, scratchpadBytes);
  return why;
}

pmpd_status pmpd::npu::verify(const Program &program) {
  const pmpd_npu_requirements &required = program.requirements();
  if (required.isa_version != PMPD_NPU_ISA_VERSION ||
      required.row_block != PMPD_NPU_ROW_BLOCK)
    return fail(PMPD_BAD_MODEL,
                program.name() + ": expected instructions of version " +
                    number(PMPD_NPU_ISA_VERSION) + " and row blocks of " +
                    number(PMPD_NPU_ROW_BLOCK) + ", but got " +
                    number(required.isa_version) + " and " +
                    number(required.row_block) + "; recompile the model");
  for (const pmpd_npu_region &region : program.regions()) {
    const pmpd_npu_instruction *code = program.code().data() + region.first;
    uint32_t at = 0;
    std::string why;
    for (at = 0; at < region.count; ++at)
      if (why = checkInstruction(code[at], required.scratchpad_bytes);
          !why.empty())
        break;
    if (why.empty())
      why = checkStructure(code, region.count, at);
    if (why.empty())
      why = checkTokens(code, region.count, at);
    if (!why.empty())
      return fail(
          PMPD_BAD_MODEL,
          program.name() + ": region " + program.string(region.name) +
              ", instruction " + number(at) +
              (at < region.count && findOp(code[at].h.op)
                   ? std::string(" (") + findOp(code[at].h.op)->mnemonic + ")"
                   : "") +
              ": " + why);
  }
  return PMPD_OK;
}
