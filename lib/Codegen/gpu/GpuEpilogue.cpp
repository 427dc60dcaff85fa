// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Codegen/gpu/GpuEpilogue.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace pmpd::codegen {

void storeElement(GpuKernelBuilder &b, int64_t weightRows, Type bias, Value row,
                  Value n, Value sum) {
  if (bias) {
    int64_t bytes = bias.getIntOrFloatBitWidth() / 8;
    sum = arith::AddFOp::create(b, sum,
                                b.loadReal(bias,
                                           b.at(b.pointer(3), b.mul(n, bytes)),
                                           /*constant=*/true));
  }
  Value line = b.at(b.pointer(2), b.mul(row, weightRows * 4));
  b.store(sum, b.at(line, b.mul(n, 4)));
}

} // namespace pmpd::codegen
