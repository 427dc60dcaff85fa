// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Codegen/isa/Isa.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace pmpd::codegen {
namespace {

/// vpdpbusd multiplies codes where they stand in their bytes: the sums of one
/// shift are divided once, at the end of a group.
struct VNNI : Isa {
  explicit VNNI(StringLiteral dotName) : dotName(dotName) {}

  Value dot(KernelBuilder &b, Value partial, Value codes,
            Value x) const override {
    Value quad = vector::BitCastOp::create(b, b.vectorOf(b.getI32Type(), 1), x);
    Value all = vector::BitCastOp::create(b, codes.getType(),
                                          b.splat(b.extract(quad, 0), lanes()));
    return LLVM::CallIntrinsicOp::create(b, partial.getType(),
                                         b.getStringAttr(dotName),
                                         ValueRange{partial, codes, all})
        .getResults();
  }

  StringLiteral dotName;
};

struct AVXVNNI : VNNI {
  AVXVNNI() : VNNI("llvm.x86.avx512.vpdpbusd.256") {}
  unsigned lanes() const override { return 8; }
  unsigned rowTile(Activations activations) const override {
    return activations == Activations::Q16 ? 1 : 2;
  }
  unsigned unrolledTiles() const override { return 2; }
};

struct AVX512VNNI : VNNI {
  AVX512VNNI() : VNNI("llvm.x86.avx512.vpdpbusd.512") {}
  unsigned lanes() const override { return 16; }
  unsigned rowTile(Activations activations) const override {
    return activations == Activations::Q16 ? 2 : 4;
  }
  unsigned unrolledTiles() const override { return 4; }

  // LLVM splits some selects of shifted operands, so name the instruction.
  Value select(KernelBuilder &b, uint8_t mask, Value onSet,
               Value onClear) const override {
    constexpr int32_t selectTable = 0xCA;
    VectorType ints = b.vectorOf(b.getI32Type(), lanes());
    auto words = [&](Value bytes) -> Value {
      return vector::BitCastOp::create(b, ints, bytes);
    };
    Value table = LLVM::ConstantOp::create(b, b.getI32Type(),
                                           b.getI32IntegerAttr(selectTable));
    Value selected =
        LLVM::CallIntrinsicOp::create(
            b, ints, b.getStringAttr("llvm.x86.avx512.pternlog.d.512"),
            ValueRange{words(b.splatBytes(mask, 4 * lanes())), words(onSet),
                       words(onClear), table})
            .getResults();
    return vector::BitCastOp::create(b, onSet.getType(), selected);
  }
};

} // namespace

const Isa &avxVnniIsa() {
  static const AVXVNNI isa;
  return isa;
}

const Isa &avx512VnniIsa() {
  static const AVX512VNNI isa;
  return isa;
}

} // namespace pmpd::codegen
