// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/NPU/NPU.h"
#include "passes/Passes.h"

using namespace mlir;

namespace pmpd {
#define GEN_PASS_DEF_NPUFUSE
#include "passes/Passes.h.inc"

namespace {
using npu::EltFn;
using npu::EltOp;

/// The instruction that wrote a buffer which only it and one reader use.
EltOp onlyWriter(Value buffer, EltOp reader) {
  EltOp writer;
  for (Operation *user : buffer.getUsers()) {
    if (user == reader)
      continue;
    auto elt = dyn_cast<EltOp>(user);
    if (writer || !elt || elt.getDst() != buffer || elt.getA() == buffer)
      return EltOp();
    writer = elt;
  }
  return writer;
}

/// silu %g -> %t; mul %t, %u -> %o  becomes  silu_mul %g, %u -> %o. The same
/// operations in the same order, so that no bit of the result changes.
void fuseSilu(EltOp mul) {
  if (mul.getB() == mul.getA())
    return;
  EltOp silu = onlyWriter(mul.getA(), mul);
  if (!silu || silu.getFn() != EltFn::Silu ||
      silu->getBlock() != mul->getBlock() || !silu->isBeforeInBlock(mul) ||
      silu.getRowsFrom() != mul.getRowsFrom())
    return;
  Value dead = mul.getA();
  mul.setFn(EltFn::SiluMul);
  mul.getAMutable().assign(silu.getA());
  silu.erase();
  dead.getDefiningOp()->erase();
}

struct NpuFuse : impl::NpuFuseBase<NpuFuse> {
  void runOnOperation() override {
    SmallVector<EltOp> products; // what is erased is none of them
    getOperation().walk([&](EltOp op) {
      if (op.getFn() == EltFn::Mul)
        products.push_back(op);
    });
    for (EltOp product : products)
      fuseSilu(product);
  }
};
} // namespace
} // namespace pmpd
