// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/targets/npu/Isa.h"
#include "pmpd/npu_program.h"

#include <cstring>

using namespace pmpd::npu;

namespace {

template <typename Type> constexpr FieldKind kindOf() {
  if constexpr (std::is_same_v<Type, float>)
    return FieldKind::Float;
  else
    return std::is_signed_v<Type> ? FieldKind::Signed : FieldKind::Unsigned;
}

} // namespace

#define NUMBER(type, name)                                                     \
  Field {                                                                      \
#name, offsetof(type, name), sizeof(type::name),                           \
        kindOf < decltype(type::name)>()                                       \
  }
#define REGISTER(type, name)                                                   \
  Field { #name, offsetof(type, name), 1, FieldKind::Register }
#define LOCAL(type, name)                                                      \
  Field { #name, offsetof(type, name), 4, FieldKind::Local }
#define STRING(type, name)                                                     \
  Field { #name, offsetof(type, name), 4, FieldKind::String }

const std::vector<OpInfo> &pmpd::npu::allOps() {
  using Salu = pmpd_npu_salu;
  using Loop = pmpd_npu_loop;
  using Mark = pmpd_npu_mark;
  using Dma = pmpd_npu_dma;
  using Qact = pmpd_npu_qact;
  using Bpmv = pmpd_npu_bpmv;
  using Mmq = pmpd_npu_mmq;
  using Mmh = pmpd_npu_mmh;
  using Att = pmpd_npu_att;
  using Norm = pmpd_npu_norm;
  using Rope = pmpd_npu_rope;
  using Elt = pmpd_npu_elt;
  using Red = pmpd_npu_red;
  using Kvq = pmpd_npu_kvq;
  constexpr uint8_t quantized =
      PMPD_NPU_F_ACC | PMPD_NPU_F_A16 | PMPD_NPU_F_LUT | PMPD_NPU_F_AFFINE;
  static const std::vector<OpInfo> ops = {
      {PMPD_NPU_NOP, "nop", PMPD_NPU_SEQ, 0, PMPD_NPU_VPU, false, false, {}},
      {PMPD_NPU_HALT, "halt", PMPD_NPU_SEQ, 0, 0, false, false, {}},
      {PMPD_NPU_SALU,
       "salu",
       PMPD_NPU_SEQ,
       0,
       0,
       false,
       false,
       {NUMBER(Salu, fn), REGISTER(Salu, rd), REGISTER(Salu, ra),
        REGISTER(Salu, rb), NUMBER(Salu, imm)}},
      {PMPD_NPU_LOOP,
       "loop",
       PMPD_NPU_SEQ,
       0,
       0,
       false,
       false,
       {NUMBER(Loop, level), REGISTER(Loop, creg), NUMBER(Loop, count),
        NUMBER(Loop, body)}},
      {PMPD_NPU_ENDL,
       "endl",
       PMPD_NPU_SEQ,
       0,
       0,
       false,
       false,
       {NUMBER(Loop, level)}},
      {PMPD_NPU_FENCE,
       "fence",
       PMPD_NPU_SEQ,
       0,
       0,
       false,
       false,
       {NUMBER(Mark, value)}},
      {PMPD_NPU_EVT,
       "evt",
       PMPD_NPU_SEQ,
       0,
       0,
       false,
       false,
       {NUMBER(Mark, value)}},
      {PMPD_NPU_LD,
       "ld",
       PMPD_NPU_SEQ,
       PMPD_NPU_F_LEN | PMPD_NPU_F_CNT,
       PMPD_NPU_QS,
       false,
       true,
       {REGISTER(Dma, breg), REGISTER(Dma, oreg), NUMBER(Dma, cnt1),
        NUMBER(Dma, imm64), LOCAL(Dma, local), NUMBER(Dma, len0),
        NUMBER(Dma, dstride64), NUMBER(Dma, lstride)}},
      {PMPD_NPU_ST,
       "st",
       PMPD_NPU_SEQ,
       PMPD_NPU_F_LEN | PMPD_NPU_F_CNT,
       PMPD_NPU_QS,
       false,
       true,
       {REGISTER(Dma, breg), REGISTER(Dma, oreg), NUMBER(Dma, cnt1),
        NUMBER(Dma, imm64), LOCAL(Dma, local), NUMBER(Dma, len0),
        NUMBER(Dma, dstride64), NUMBER(Dma, lstride)}},
      {PMPD_NPU_QACT,
       "qact",
       PMPD_NPU_VPU,
       PMPD_NPU_F_A16,
       0,
       true,
       true,
       {LOCAL(Qact, x), LOCAL(Qact, q), LOCAL(Qact, s), NUMBER(Qact, K),
        NUMBER(Qact, xstride64)}},
      {PMPD_NPU_BPMV,
       "bpmv",
       PMPD_NPU_BPU,
       quantized,
       4,
       true,
       false,
       {LOCAL(Bpmv, w), LOCAL(Bpmv, x), LOCAL(Bpmv, sx), LOCAL(Bpmv, sw),
        LOCAL(Bpmv, out), NUMBER(Bpmv, N), NUMBER(Bpmv, K)}},
      {PMPD_NPU_MMQ,
       "mmq",
       PMPD_NPU_MXU,
       quantized,
       4,
       true,
       true,
       {LOCAL(Mmq, w), LOCAL(Mmq, x), LOCAL(Mmq, sx), LOCAL(Mmq, out),
        NUMBER(Mmq, N), NUMBER(Mmq, K), NUMBER(Mmq, xcols32),
        NUMBER(Mmq, ostride64)}},
      {PMPD_NPU_MMH,
       "mmh",
       PMPD_NPU_MXU,
       PMPD_NPU_F_ACC,
       0,
       false,
       true,
       {LOCAL(Mmh, w), LOCAL(Mmh, x), LOCAL(Mmh, out), NUMBER(Mmh, N),
        NUMBER(Mmh, K), NUMBER(Mmh, xstride64), NUMBER(Mmh, ostride64)}},
      {PMPD_NPU_ATT,
       "att",
       PMPD_NPU_MXU,
       PMPD_NPU_F_FIRST | PMPD_NPU_F_LAST,
       PMPD_NPU_KV_I4,
       false,
       true,
       {LOCAL(Att, q), LOCAL(Att, kv), LOCAL(Att, state), LOCAL(Att, out),
        NUMBER(Att, hd8), NUMBER(Att, nq), REGISTER(Att, treg),
        NUMBER(Att, heads), NUMBER(Att, scale)}},
      {PMPD_NPU_NORM,
       "norm",
       PMPD_NPU_VPU,
       0,
       1,
       false,
       true,
       {LOCAL(Norm, x), LOCAL(Norm, w), LOCAL(Norm, b), LOCAL(Norm, out),
        NUMBER(Norm, D), NUMBER(Norm, eps)}},
      {PMPD_NPU_ROPE,
       "rope",
       PMPD_NPU_VPU,
       0,
       1,
       false,
       true,
       {LOCAL(Rope, x), LOCAL(Rope, cs), LOCAL(Rope, out), NUMBER(Rope, heads),
        NUMBER(Rope, hd8), NUMBER(Rope, n), NUMBER(Rope, xstride64),
        NUMBER(Rope, ostride64)}},
      {PMPD_NPU_ELT,
       "elt",
       PMPD_NPU_VPU,
       PMPD_NPU_F_BCAST,
       PMPD_NPU_CVT32,
       false,
       true,
       {LOCAL(Elt, a), LOCAL(Elt, b), LOCAL(Elt, out), NUMBER(Elt, n),
        NUMBER(Elt, imm), NUMBER(Elt, astride64), NUMBER(Elt, ostride64)}},
      {PMPD_NPU_RED,
       "red",
       PMPD_NPU_VPU,
       0,
       1,
       false,
       false,
       {LOCAL(Red, x), LOCAL(Red, out), NUMBER(Red, n), REGISTER(Red, rd)}},
      {PMPD_NPU_KVQ,
       "kvq",
       PMPD_NPU_VPU,
       0,
       PMPD_NPU_KV_I4,
       false,
       true,
       {LOCAL(Kvq, x), LOCAL(Kvq, out), LOCAL(Kvq, scl), NUMBER(Kvq, heads),
        NUMBER(Kvq, hd), NUMBER(Kvq, xstride64)}}};
  return ops;
}

const std::vector<FlagName> &pmpd::npu::flagNames() {
  static const std::vector<FlagName> names = {
      {PMPD_NPU_LD, PMPD_NPU_F_LEN, "len"},
      {PMPD_NPU_LD, PMPD_NPU_F_CNT, "cnt"},
      {PMPD_NPU_ST, PMPD_NPU_F_LEN, "len"},
      {PMPD_NPU_ST, PMPD_NPU_F_CNT, "cnt"},
      {PMPD_NPU_QACT, PMPD_NPU_F_A16, "a16"},
      {PMPD_NPU_BPMV, PMPD_NPU_F_ACC, "acc"},
      {PMPD_NPU_BPMV, PMPD_NPU_F_A16, "a16"},
      {PMPD_NPU_BPMV, PMPD_NPU_F_LUT, "lut"},
      {PMPD_NPU_BPMV, PMPD_NPU_F_AFFINE, "affine"},
      {PMPD_NPU_MMQ, PMPD_NPU_F_ACC, "acc"},
      {PMPD_NPU_MMQ, PMPD_NPU_F_A16, "a16"},
      {PMPD_NPU_MMQ, PMPD_NPU_F_LUT, "lut"},
      {PMPD_NPU_MMQ, PMPD_NPU_F_AFFINE, "affine"},
      {PMPD_NPU_MMH, PMPD_NPU_F_ACC, "acc"},
      {PMPD_NPU_ATT, PMPD_NPU_F_FIRST, "first"},
      {PMPD_NPU_ATT, PMPD_NPU_F_LAST, "last"},
      {PMPD_NPU_ELT, PMPD_NPU_F_BCAST, "bcast"}};
  return names;
}

const std::vector<const char *> &pmpd::npu::valueNames(uint8_t op) {
  using Names = std::vector<const char *>;
  static const Names none,
      units = {"seq", "qw", "qk", "qa", "qs", "bpu", "mxu", "vpu"},
      queues(units.begin(), units.begin() + PMPD_NPU_QS + 1),
      kvFormats = {"f16", "i8", "i4"}, norms = {"rms", "layer"},
      ropes = {"half", "interleaved"}, reductions = {"argmax", "max"},
      scalars = {"mov",     "add", "sub", "mul", "min", "max",
                 "ceildiv", "shl", "shr", "and", "rem", "ld32"},
      elementwise = {"copy", "add",      "sub",       "mul",
                     "silu", "silu_mul", "gelu_tanh", "gelu_erf",
                     "relu", "scale",    "cvt16",     "cvt32"};
  switch (op) {
  case PMPD_NPU_NOP:
    return units;
  case PMPD_NPU_SALU:
    return scalars;
  case PMPD_NPU_LD:
  case PMPD_NPU_ST:
    return queues;
  case PMPD_NPU_ATT:
  case PMPD_NPU_KVQ:
    return kvFormats;
  case PMPD_NPU_NORM:
    return norms;
  case PMPD_NPU_ROPE:
    return ropes;
  case PMPD_NPU_RED:
    return reductions;
  case PMPD_NPU_ELT:
    return elementwise;
  default:
    return none;
  }
}

const std::vector<TableInfo> &pmpd::npu::allTables() {
  using Required = pmpd_npu_requirements;
  using Abi = pmpd_npu_abi;
  using Region = pmpd_npu_region;
  using Tensor = pmpd_npu_tensor;
  using Line = pmpd_npu_line;
  static const std::vector<TableInfo> tables = {
      {"HWRQ",
       "require",
       sizeof(Required),
       {NUMBER(Required, isa_version), NUMBER(Required, row_block),
        NUMBER(Required, scratchpad_bytes), NUMBER(Required, registers),
        NUMBER(Required, semaphores), NUMBER(Required, loop_levels),
        STRING(Required, config_name)}},
      {"ABI ",
       "abi",
       sizeof(Abi),
       {NUMBER(Abi, version), NUMBER(Abi, kv_format), NUMBER(Abi, vocab),
        NUMBER(Abi, hidden), NUMBER(Abi, layers), NUMBER(Abi, heads),
        NUMBER(Abi, kv_heads), NUMBER(Abi, head_dim), NUMBER(Abi, context),
        NUMBER(Abi, kv_bytes)}},
      {"RGNS",
       "region",
       sizeof(Region),
       {STRING(Region, name), NUMBER(Region, phase), NUMBER(Region, bits),
        NUMBER(Region, activation_bits), NUMBER(Region, max_rows),
        NUMBER(Region, first), NUMBER(Region, count),
        NUMBER(Region, scratchpad_peak), NUMBER(Region, dram_scratch),
        NUMBER(Region, budget), NUMBER(Region, weight_bytes)}},
      {"TMAP",
       "tensor",
       sizeof(Tensor),
       {STRING(Tensor, name), NUMBER(Tensor, rows), NUMBER(Tensor, cols),
        NUMBER(Tensor, group), NUMBER(Tensor, offset), NUMBER(Tensor, bytes),
        NUMBER(Tensor, bits), NUMBER(Tensor, flags)}},
      {"DBUG",
       "line",
       sizeof(Line),
       {NUMBER(Line, first), STRING(Line, name)}}};
  return tables;
}

const OpInfo *pmpd::npu::findOp(uint8_t op) {
  static const std::vector<const OpInfo *> byCode = [] {
    std::vector<const OpInfo *> table(256);
    for (const OpInfo &info : allOps())
      table[info.op] = &info;
    return table;
  }();
  return byCode[op];
}

pmpd_npu_unit pmpd::npu::unitOf(const pmpd_npu_instruction &instruction) {
  uint8_t op = instruction.h.op;
  if (op == PMPD_NPU_LD || op == PMPD_NPU_ST)
    return instruction.h.mode <= PMPD_NPU_QS
               ? static_cast<pmpd_npu_unit>(instruction.h.mode)
               : PMPD_NPU_SEQ;
  if (op == PMPD_NPU_NOP && instruction.h.mode < PMPD_NPU_UNITS)
    return static_cast<pmpd_npu_unit>(instruction.h.mode);
  const OpInfo *info = findOp(op);
  return info ? info->unit : PMPD_NPU_SEQ;
}

const char *pmpd::npu::unitName(unsigned unit) {
  static const char *const names[PMPD_NPU_UNITS] = {"SEQ", "QW",  "QK",  "QA",
                                                    "QS",  "BPU", "MXU", "VPU"};
  return names[unit];
}

uint64_t pmpd::npu::getField(const void *record, const Field &field) {
  uint64_t value = 0;
  std::memcpy(&value, static_cast<const uint8_t *>(record) + field.offset,
              field.bytes);
  return value;
}

void pmpd::npu::setField(void *record, const Field &field, uint64_t value) {
  std::memcpy(static_cast<uint8_t *>(record) + field.offset, &value,
              field.bytes);
}
