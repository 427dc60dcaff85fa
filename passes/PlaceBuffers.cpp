// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/Passes.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/Matchers.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace pmpd {
#define GEN_PASS_DEF_PLACEBUFFERS
#include "passes/Passes.h.inc"

namespace {
constexpr int64_t alignment = 64;
constexpr int64_t mostBytes = int64_t(1) << 40; // of one buffer

/// The largest value of an index that grows with the arguments of its function,
/// none of which is negative or above `most`.
std::optional<int64_t> getBound(Value value, int64_t most) {
  IntegerAttr constant;
  if (matchPattern(value, m_Constant(&constant)))
    return constant.getInt() < 0 ? std::nullopt
                                 : std::optional(constant.getInt());
  if (isa<BlockArgument>(value) && value.getType().isIndex())
    return most;
  Operation *op = value.getDefiningOp();
  if (!op || op->getNumOperands() != 2)
    return std::nullopt;
  std::optional<int64_t> left = getBound(op->getOperand(0), most);
  std::optional<int64_t> right = getBound(op->getOperand(1), most);
  if (!left || !right)
    return std::nullopt;
  int64_t result;
  if (isa<arith::AddIOp>(op) && !llvm::AddOverflow(*left, *right, result))
    return result;
  if (isa<arith::MulIOp>(op) && !llvm::MulOverflow(*left, *right, result))
    return result;
  if (isa<arith::FloorDivSIOp, arith::DivSIOp, arith::CeilDivSIOp>(op) &&
      matchPattern(op->getOperand(1), m_Constant(&constant)) && *right > 0)
    return llvm::divideCeil(*left, *right);
  return std::nullopt;
}

struct PlaceBuffers : impl::PlaceBuffersBase<PlaceBuffers> {
  void runOnOperation() override {
    func::FuncOp func = getOperation();
    auto bound = func->getAttrOfType<IntegerAttr>("pmpd.bound");
    if (func.isExternal() || !bound)
      return;
    OpBuilder builder(func.getContext());
    SmallVector<std::pair<memref::AllocOp, int64_t>> places;
    int64_t bytes = 0;
    WalkResult walk = func.walk([&](memref::AllocOp alloc) {
      FailureOr<int64_t> size = getBytes(alloc, bound.getInt());
      if (failed(size))
        return WalkResult::interrupt();
      places.push_back({alloc, bytes});
      bytes += llvm::alignTo(*size, alignment);
      return WalkResult::advance();
    });
    if (walk.wasInterrupted())
      return signalPassFailure();
    // A copy becomes a loop: generated code calls no library.
    func.walk([&](memref::CopyOp copy) {
      builder.setInsertionPoint(copy);
      linalg::CopyOp::create(builder, copy.getLoc(), copy.getSource(),
                             copy.getTarget());
      copy.erase();
    });

    auto type = MemRefType::get({bytes}, builder.getI8Type());
    if (failed(func.insertArgument(func.getNumArguments(), type, {},
                                   func.getLoc())))
      return signalPassFailure();
    Value scratch = func.getArguments().back();
    for (auto [alloc, place] : places) {
      builder.setInsertionPoint(alloc);
      Value offset =
          arith::ConstantIndexOp::create(builder, alloc.getLoc(), place);
      Value view =
          memref::ViewOp::create(builder, alloc.getLoc(), alloc.getType(),
                                 scratch, offset, alloc.getDynamicSizes());
      alloc.replaceAllUsesWith(view);
      alloc.erase();
    }
  }

  FailureOr<int64_t> getBytes(memref::AllocOp alloc, int64_t bound) {
    MemRefType type = alloc.getType();
    if (alloc->getParentOp() != getOperation().getOperation() ||
        !type.getLayout().isIdentity())
      return alloc.emitError("expected buffers outside of loops and without a "
                             "layout, but got ")
             << type;
    SmallVector<int64_t> sizes = {
        int64_t(llvm::divideCeil(type.getElementTypeBitWidth(), 8))};
    for (int64_t size : type.getShape())
      if (!ShapedType::isDynamic(size))
        sizes.push_back(size);
    for (Value size : alloc.getDynamicSizes()) {
      std::optional<int64_t> most = getBound(size, bound);
      if (!most)
        return alloc.emitError("expected a size that grows with the arguments "
                               "of the function");
      sizes.push_back(*most);
    }
    int64_t bytes = 1;
    for (int64_t size : sizes)
      if (llvm::MulOverflow(bytes, size, bytes) || bytes > mostBytes)
        return alloc.emitError("expected a buffer of at most ")
               << mostBytes << " bytes, but got one of " << type
               << " for a context of " << bound;
    return bytes;
  }
};
} // namespace
} // namespace pmpd
