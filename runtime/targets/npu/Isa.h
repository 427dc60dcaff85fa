// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The fields of every instruction and of the container's tables, as data: the
// verifier, the disassembler and the assembler follow these tables.
#ifndef PMPD_RUNTIME_TARGETS_NPU_ISA_H
#define PMPD_RUNTIME_TARGETS_NPU_ISA_H

#include "pmpd/npu.h"

#include <cstddef>
#include <string>
#include <vector>

namespace pmpd::npu {

enum class FieldKind {
  Unsigned,
  Signed,
  Float,
  Register,
  Local, ///< register and offset
  String ///< offset into section STRS
};

struct Field {
  const char *name;
  uint8_t offset, bytes;
  FieldKind kind;
};

/// What one op looks like.
struct OpInfo {
  uint8_t op;
  const char *mnemonic;
  pmpd_npu_unit unit; ///< SEQ for NOP, LD, ST: their mode says it
  uint8_t flags;      ///< those it may have
  uint8_t maxMode;    ///< highest mode without the group bits
  bool hasGroup;      ///< mode has log2 G - 5 in bits 6:4
  bool hasRows;
  std::vector<Field> fields; ///< after the header
};

/// All ops in ascending order.
const std::vector<OpInfo> &allOps();

/// The op, or null if there is none of that code.
const OpInfo *findOp(uint8_t op);

/// The unit an instruction runs on. LD and ST with a bad queue: SEQ.
pmpd_npu_unit unitOf(const pmpd_npu_instruction &instruction);

const char *unitName(unsigned unit);

/// Columns of a quantization group.
inline unsigned groupOf(const pmpd_npu_header &header) {
  return 32u << (header.mode >> 4 & 7);
}

/// Whether a function of ELT has a second operand.
inline bool readsB(uint8_t fn) {
  return fn == PMPD_NPU_ADDF || fn == PMPD_NPU_SUBF || fn == PMPD_NPU_MULF ||
         fn == PMPD_NPU_SILU_MUL;
}

/// Parts of a local address.
inline unsigned localRegister(uint32_t local) { return local >> 24 & 31; }
inline uint32_t localOffset(uint32_t local) { return local & 0xFFFFFF; }

/// A field's bytes as an unsigned number, or back.
uint64_t getField(const void *record, const Field &field);
void setField(void *record, const Field &field, uint64_t value);

/// One flag of an op by name.
struct FlagName {
  uint8_t op, flag;
  const char *name;
};
const std::vector<FlagName> &flagNames();

/// Names of the values of an op's mode, or of the function of SALU; empty if
/// they are plain numbers.
const std::vector<const char *> &valueNames(uint8_t op);

/// A record of one of the container's tables.
struct TableInfo {
  const char *tag;
  const char *record; ///< what a line of it begins with
  size_t bytes;
  std::vector<Field> fields;
};
const std::vector<TableInfo> &allTables();

} // namespace pmpd::npu

#endif // PMPD_RUNTIME_TARGETS_NPU_ISA_H
