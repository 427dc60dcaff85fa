// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Codegen/gpu/Columns.h"
#include "lib/Codegen/gpu/GpuKernels.h"

using namespace mlir;

namespace pmpd::codegen {

Kernel GpuKernels::kvAppend(const CacheShape &shape) {
  return byRows(
      "kv_append_" + nameOf(shape), 3, [&](GpuKernelBuilder &b, Value row) {
        // A row of the input is the rows of its position of all heads.
        Columns columns(b, shape.heads * shape.headDim);
        Columns head(b, shape.headDim);
        Value position = b.add(b.position(), row);
        for (unsigned plane : {0, 1}) {
          Value input = columns.row(b.pointer(plane), row, b.getF32Type());
          Value rows = head.row(b.pointer(2),
                                b.constant(plane * shape.heads * shape.context),
                                shape.element);
          columns.each([&](Value col) {
            Value own = b.add(b.mul(b.div(col, shape.headDim), shape.context),
                              position);
            head.store(columns.load(b.getF32Type(), input, col), shape.element,
                       head.row(rows, own, shape.element),
                       b.rem(col, shape.headDim));
          });
        }
      });
}

} // namespace pmpd::codegen
