// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef DIALECTS_PMPD_PMPD_H
#define DIALECTS_PMPD_PMPD_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/RegionKindInterface.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/IR/TensorEncoding.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dialects/PMPD/PMPDDialect.h.inc"
#include "dialects/PMPD/PMPDEnums.h.inc"
#define GET_ATTRDEF_CLASSES
#include "dialects/PMPD/PMPDAttrs.h.inc"
#define GET_TYPEDEF_CLASSES
#include "dialects/PMPD/PMPDTypes.h.inc"
#define GET_OP_CLASSES
#include "dialects/PMPD/PMPDOps.h.inc"

#endif // DIALECTS_PMPD_PMPD_H
