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

/// The op of `block` that is or holds `op`.
Operation *inBlock(Operation *op, Block *block) {
  return block->findAncestorOpInBlock(*op);
}

/// Whether something between two ops of a block uses a buffer.
bool usedBetween(Value buffer, Operation *first, Operation *last) {
  return llvm::any_of(buffer.getUsers(), [&](Operation *user) {
    Operation *beside = inBlock(user, first->getBlock());
    return beside && first->isBeforeInBlock(beside) &&
           beside->isBeforeInBlock(last);
  });
}

/// silu %g -> %t; mul %t, %u -> %o  becomes  silu_mul %g, %u -> %o. The same
/// operations in the same order, so that no bit of the result changes.
void fuseSilu(EltOp mul) {
  if (mul.getB() == mul.getA())
    return;
  EltOp silu = onlyWriter(mul.getA(), mul);
  if (!silu || silu.getFn() != EltFn::Silu ||
      silu->getBlock() != mul->getBlock() || !silu->isBeforeInBlock(mul) ||
      silu.getRowsFrom() != mul.getRowsFrom() ||
      usedBetween(silu.getA(), silu, mul)) // which may write it
    return;
  Value dead = mul.getA();
  mul.setFn(EltFn::SiluMul);
  mul.getAMutable().assign(silu.getA());
  silu.erase();
  dead.getDefiningOp()->erase();
}

/// Whether `op` is the last one to use `read` and the first one to use
/// `written`, both made for this block alone.
bool endsAndBegins(EltOp op, Value read, Value written) {
  Block *block = op->getBlock();
  if (read == written || read.getType() != written.getType())
    return false;
  for (Value buffer : {read, written}) {
    auto alloc = buffer.getDefiningOp<npu::AllocOp>();
    if (!alloc || alloc->getBlock() != block || alloc.getSlots())
      return false;
  }
  auto onlyUsed = [&](Value buffer, bool before) {
    return llvm::all_of(buffer.getUsers(), [&](Operation *user) {
      Operation *beside = inBlock(user, block);
      return beside == op || beside->isBeforeInBlock(op) == before;
    });
  };
  return onlyUsed(read, true) && onlyUsed(written, false);
}

/// relu %a -> %b  becomes  relu %a -> %a  where %a is not read again.
void overwrite(EltOp op) {
  if (op.getFn() == EltFn::Cvt32) // not where it reads
    return;
  for (Value operand : {Value(op.getA()), Value(op.getB())})
    if (operand && endsAndBegins(op, operand, op.getDst())) {
      Value dead = op.getDst();
      dead.replaceAllUsesWith(operand);
      dead.getDefiningOp()->erase();
      return;
    }
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
    getOperation().walk(overwrite);
  }
};
} // namespace
} // namespace pmpd
