// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Codegen/KernelLibrary.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;

namespace pmpd::codegen {
namespace {

/// math.fma -> vector.fma. The former becomes a library call where the target
/// has no such instruction; the latter a multiplication and an addition, as a
/// scalar does everywhere.
struct FmaToVector : OpRewritePattern<math::FmaOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(math::FmaOp op,
                                PatternRewriter &rewriter) const override {
    if (!isa<VectorType>(op.getType())) {
      Value product =
          arith::MulFOp::create(rewriter, op.getLoc(), op.getA(), op.getB());
      rewriter.replaceOpWithNewOp<arith::AddFOp>(op, product, op.getC());
      return success();
    }
    rewriter.replaceOpWithNewOp<vector::FMAOp>(op, op.getA(), op.getB(),
                                               op.getC());
    return success();
  }
};

/// math.floor -> the nearest integer, by rounding at the unit of a large sum,
/// less one where that is above. Like FmaToVector, for targets without it.
struct FloorToSum : OpRewritePattern<math::FloorOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(math::FloorOp op,
                                PatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    auto constant = [&](double value) -> Value {
      TypedAttr attribute = rewriter.getF32FloatAttr(value);
      if (auto vector = dyn_cast<VectorType>(op.getType()))
        attribute = DenseElementsAttr::get(vector, attribute);
      return arith::ConstantOp::create(rewriter, loc, attribute);
    };
    if (!getElementTypeOrSelf(op.getType()).isF32())
      return rewriter.notifyMatchFailure(op, "not f32");
    Value x = op.getOperand();
    Value magic = constant(0x1.8p23);
    Value nearest = arith::SubFOp::create(
        rewriter, loc, arith::AddFOp::create(rewriter, loc, x, magic), magic);
    Value isAbove = arith::CmpFOp::create(
        rewriter, loc, arith::CmpFPredicate::OGT, nearest, x);
    Value below = arith::SubFOp::create(rewriter, loc, nearest, constant(1.0));
    rewriter.replaceOpWithNewOp<arith::SelectOp>(op, isAbove, below, nearest);
    return success();
  }
};

} // namespace

void expandFunctions(Operation *func) {
  RewritePatternSet patterns(func->getContext());
  populateMathPolynomialApproximationPatterns(patterns, [](StringRef name) {
    return llvm::is_contained(
        {math::ErfOp::getOperationName(), math::ErfcOp::getOperationName(),
         math::ExpOp::getOperationName(), math::LogOp::getOperationName(),
         math::TanhOp::getOperationName()},
        name);
  });
  patterns.add<FmaToVector, FloorToSum>(func->getContext());
  if (failed(applyPatternsGreedily(func, std::move(patterns))))
    llvm::report_fatal_error("expansion of a kernel does not converge");
}

StringRef nameOf(Type element) { return element.isF16() ? "f16" : "f32"; }

std::string biasName(Type bias) {
  return bias ? ("_bias" + nameOf(bias)).str() : std::string();
}

std::string nameOf(const CacheShape &shape) {
  return llvm::formatv("{0}_kv{1}_d{2}_c{3}", nameOf(shape.element),
                       shape.heads, shape.headDim, shape.context);
}

std::string rmsNormName(int64_t heads, int64_t cols, Type weight, double eps) {
  std::string perHead = heads > 1 ? "_h" + std::to_string(heads) : "";
  return llvm::formatv("rms_norm_{0}{1}_k{2}_e{3}", nameOf(weight), perHead,
                       cols, nameOf(eps));
}

std::string nameOf(double value) {
  float rounded = static_cast<float>(value);
  return llvm::utohexstr(llvm::bit_cast<uint32_t>(rounded), /*LowerCase=*/true);
}

} // namespace pmpd::codegen
