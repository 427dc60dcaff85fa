// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/NPU/NPU.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace pmpd::npu;

#include "dialects/NPU/NPUDialect.cpp.inc"
#include "dialects/NPU/NPUEnums.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "dialects/NPU/NPUAttrs.cpp.inc"
#define GET_TYPEDEF_CLASSES
#include "dialects/NPU/NPUTypes.cpp.inc"

void NPUDialect::registerTypesAndAttributes() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "dialects/NPU/NPUTypes.cpp.inc"
      >();
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/NPU/NPUAttrs.cpp.inc"
      >();
}

void NPUDialect::initialize() {
  registerTypesAndAttributes();
  addOperations<
#define GET_OP_LIST
#include "dialects/NPU/NPUOps.cpp.inc"
      >();
}

LogicalResult BufType::verify(function_ref<InFlightDiagnostic()> emitError,
                              Space, int64_t bytes, int64_t align) {
  if (bytes <= 0) // C1
    return emitError() << "expected a positive number of bytes, but got "
                       << bytes;
  if (align <= 0 || !llvm::isPowerOf2_64(align)) // C2
    return emitError() << "expected a power of two to align to, but got "
                       << align;
  return success();
}
