// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/Model.h"

using namespace mlir;
using namespace pmpd;

FailureOr<ModelOp> pmpd::getOnlyModel(ModuleOp module) {
  auto models = llvm::to_vector(module.getOps<ModelOp>());
  if (models.size() != 1)
    return module.emitError("expected one pmpd.model, but got ")
           << models.size();
  return models.front();
}
