// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Codegen/isa/Isa.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace pmpd::codegen {
namespace {

/// vpmaddubsw sums pairs of byte products in saturating 16-bit elements. With
/// codes of at most 15, the 8 quads of a tile stay below 15 * 128 * 2 * 8 and
/// need one vpmaddwd to join the 32-bit sum.
struct AVX2 : Isa {
  unsigned lanes() const override { return 8; }
  unsigned rowTile(Activations activations) const override {
    return activations == Activations::Q16 ? 1 : 2;
  }
  unsigned unrolledTiles() const override { return 2; }

  bool needsLowNibbles() const override { return true; }

  Value beginTile(KernelBuilder &b, Value sum) const override {
    return arith::ConstantOp::create(b, b.getZeroAttr(wordsType(b)));
  }
  Value dot(KernelBuilder &b, Value partial, Value codes,
            Value x) const override {
    Value quad = vector::BitCastOp::create(b, b.vectorOf(b.getI32Type(), 1), x);
    Value all = vector::BitCastOp::create(b, codes.getType(),
                                          b.splat(b.extract(quad, 0), lanes()));
    Value products =
        LLVM::CallIntrinsicOp::create(
            b, wordsType(b), b.getStringAttr("llvm.x86.avx2.pmadd.ub.sw"),
            ValueRange{codes, all})
            .getResults();
    return arith::AddIOp::create(b, partial, products);
  }
  Value endTile(KernelBuilder &b, Value sum, Value partial) const override {
    Value ones = arith::ConstantOp::create(
        b, DenseElementsAttr::get(wordsType(b), static_cast<int16_t>(1)));
    Value pairs =
        LLVM::CallIntrinsicOp::create(b, b.vectorOf(b.getI32Type(), lanes()),
                                      b.getStringAttr("llvm.x86.avx2.pmadd.wd"),
                                      ValueRange{partial, ones})
            .getResults();
    return arith::AddIOp::create(b, sum, pairs);
  }

private:
  VectorType wordsType(KernelBuilder &b) const {
    return b.vectorOf(b.getI16Type(), 2 * lanes());
  }
};

} // namespace

const Isa &avx2Isa() {
  static const AVX2 isa;
  return isa;
}

} // namespace pmpd::codegen
