// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/PMPD/PMPD.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;
using namespace pmpd;

#include "dialects/PMPD/PMPDDialect.cpp.inc"

void PMPDDialect::initialize() {
  registerTypesAndAttributes();
  addOperations<
#define GET_OP_LIST
#include "dialects/PMPD/PMPDOps.cpp.inc"
      >();
}
