// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Codegen/Epilogue.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

namespace pmpd::codegen {

void storePanel(KernelBuilder &b, int64_t weightRows, int64_t panelRows,
                Value panel, Value firstRow, ValueRange y, unsigned count) {
  unsigned slices = y.size() / count;
  int64_t width = panelRows / slices;
  auto storeFirst = [&](int64_t valid) {
    for (unsigned slice = 0; slice < slices; ++slice) {
      int64_t columns = std::min(valid - slice * width, width);
      if (columns <= 0)
        break;
      Value col = b.add(b.mul(panel, panelRows), slice * width);
      for (unsigned row = 0; row < count; ++row) {
        Value result = y[row * slices + slice];
        if (b.pointers() > 3)
          result = arith::AddFOp::create(
              b, result, b.load(b.pointer(3), {col}, columns, width));
        b.store(result, b.pointer(2), {b.add(firstRow, row), col}, columns);
      }
    }
  };
  int64_t partial = weightRows % panelRows;
  if (partial == 0)
    return storeFirst(panelRows);
  if (weightRows < panelRows)
    return storeFirst(partial);
  Value isLast = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, panel,
                                       b.index(weightRows / panelRows));
  auto branch = scf::IfOp::create(b, isLast, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  storeFirst(partial);
  b.setInsertionPointToStart(branch.elseBlock());
  storeFirst(panelRows);
}

} // namespace pmpd::codegen
