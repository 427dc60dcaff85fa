// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef DIALECTS_NPU_NPU_H
#define DIALECTS_NPU_NPU_H

#include "dialects/PMPD/PMPD.h"
#include "pmpd/npu.h"

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/RegionKindInterface.h"
#include "mlir/IR/SymbolTable.h"

#include "dialects/NPU/NPUDialect.h.inc"
#include "dialects/NPU/NPUEnums.h.inc"
#define GET_ATTRDEF_CLASSES
#include "dialects/NPU/NPUAttrs.h.inc"
#define GET_TYPEDEF_CLASSES
#include "dialects/NPU/NPUTypes.h.inc"

namespace pmpd::npu {

/// Bytes of the scratchpad that an instruction reads or writes.
struct Access {
  mlir::Value buffer;
  mlir::Value offset; // register added to the buffer's address, or null
  int64_t begin;      // from there
  int64_t bytes;
  bool write;
};

/// Work of one execution of an instruction.
struct Cost {
  int64_t dramBytes = 0;  // moved between the scratchpad and outside
  int64_t operations = 0; // multiplications of products, else elements
};

} // namespace pmpd::npu

#include "dialects/NPU/NPUInterfaces.h.inc"
#define GET_OP_CLASSES
#include "dialects/NPU/NPUOps.h.inc"

namespace pmpd::npu {

/// Makes a buffer of the scratchpad, on a line of 64 bytes.
mlir::Value allocate(mlir::ImplicitLocOpBuilder &builder, int64_t bytes);

/// Makes one of `bytes` for each of `rows` rows of a call.
mlir::Value allocateRows(mlir::ImplicitLocOpBuilder &builder, int64_t bytes,
                         int64_t rows);

/// The type of such a buffer.
BufType rowsType(mlir::MLIRContext *context, int64_t bytes, int64_t rows);

/// Address of a buffer. It must have one.
int64_t getAddress(mlir::Value buffer);

/// Number of a register, 0 for none. It must have one.
int getNumber(mlir::Value reg);

/// Number of a semaphore. It must have one.
int getSemaphore(mlir::Value semaphore);

/// The bytes of an instruction. All it names must have numbers.
pmpd_npu_instruction encode(InstructionOpInterface op);

/// The bytes of the instruction that begins a loop at a nesting level, 0
/// outermost, but for the length of its body.
pmpd_npu_instruction encodeLoop(LoopOp op, uint8_t level);

/// The bytes of the instruction that ends it.
pmpd_npu_instruction encodeLoopEnd(uint8_t level);

} // namespace pmpd::npu

#endif // DIALECTS_NPU_NPU_H
