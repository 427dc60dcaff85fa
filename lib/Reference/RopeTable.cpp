// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Reference/RopeTable.h"

#include <cmath>

using namespace pmpd;

std::vector<float> pmpd::computeRopeTable(RopeTableOp table) {
  int64_t context = mlir::cast<ModelOp>(table->getParentOp()).getContext();
  double scale = table.getScale().convertToDouble();
  std::vector<float> values; // [context, 2 * n]
  values.reserve(context * 2 * table.getInvFreq().size());
  for (int64_t position = 0; position < context; ++position) {
    for (double frequency : table.getInvFreq())
      values.push_back(scale * std::cos(position * frequency));
    for (double frequency : table.getInvFreq())
      values.push_back(scale * std::sin(position * frequency));
  }
  return values;
}
