// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Codegen/isa/VNNI.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace pmpd::codegen {

Value VNNI::dot(KernelBuilder &b, Value partial, Value codes, Value x) const {
  Value quad = vector::BitCastOp::create(b, b.vectorOf(b.getI32Type(), 1), x);
  Value all = vector::BitCastOp::create(b, codes.getType(),
                                        b.splat(b.extract(quad, 0), lanes()));
  return LLVM::CallIntrinsicOp::create(b, partial.getType(),
                                       b.getStringAttr(dotName),
                                       ValueRange{partial, codes, all})
      .getResults();
}

// LLVM splits some selects of shifted operands, so name the instruction.
Value AVX512VNNI::select(KernelBuilder &b, uint8_t mask, Value onSet,
                         Value onClear) const {
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

/// One sum for each row: a line of codes is loaded once for all of them, and an
/// activation is broadcast by the instruction that multiplies it.
void AVX512VNNI::blockDots(KernelBuilder &b, Value codes, Value input,
                           std::array<Value, 2> first, Value products,
                           std::array<Value, 2> place) const {
  int64_t lines = cast<MemRefType>(codes.getType()).getDimSize(0);
  Values sums(blockRows(), b.splatInt(0, lanes()));
  auto addLine = [&](Value line, ValueRange sums) {
    Value quad =
        vector::LoadOp::create(b, b.vectorOf(b.getI8Type(), 4 * lanes()), codes,
                               ValueRange{line, b.index(0)});
    Value col = b.add(first[1], b.mul(line, 4));
    Values next;
    for (auto [i, sum] : llvm::enumerate(sums)) {
      Value x = vector::LoadOp::create(b, b.vectorOf(b.getI8Type(), 4), input,
                                       ValueRange{b.add(first[0], i), col});
      next.push_back(dot(b, sum, quad, x));
    }
    return next;
  };
  sums = b.loop(b.index(0), b.index(lines), 1, sums, addLine);
  for (auto [i, sum] : llvm::enumerate(sums))
    vector::StoreOp::create(
        b, sum, products, ValueRange{place[0], b.add(place[1], i), b.index(0)});
}

namespace {

struct AVXVNNI : VNNI {
  AVXVNNI() : VNNI("llvm.x86.avx512.vpdpbusd.256") {}
  unsigned lanes() const override { return 8; }
  unsigned rowTile(Activations activations) const override {
    return activations == Activations::Q16 ? 1 : 2;
  }
  unsigned unrolledTiles() const override { return 2; }
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
