// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_PASSES_MODEL_H
#define PMPD_PASSES_MODEL_H

#include "dialects/PMPD/PMPD.h"

#include "mlir/IR/BuiltinOps.h"

namespace pmpd {

/// The model of a module. Emits an error unless there is exactly one: passes
/// that write a file write one for one model.
mlir::FailureOr<ModelOp> getOnlyModel(mlir::ModuleOp module);

} // namespace pmpd

#endif // PMPD_PASSES_MODEL_H
