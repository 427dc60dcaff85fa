// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/InputStatistics.h"

#include "llvm/ADT/StringMap.h"

using namespace mlir;

llvm::MapVector<Value, std::string> pmpd::nameInputs(PrefillOp prefill) {
  llvm::MapVector<Value, std::string> names;
  llvm::StringMap<int> taken;
  for (LinearOp layer : prefill.getRegion().getOps<LinearOp>()) {
    if (names.contains(layer.getInput()))
      continue;
    std::string name = layer.getWeight().str();
    if (int count = taken[layer.getWeight()]++)
      name += "." + std::to_string(count);
    names[layer.getInput()] = name;
  }
  return names;
}
