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

/// One sum for each row and panel: what is loaded serves all sums of its row or
/// its panel, else loads would take longer than products.
Values AVX512VNNI::blockDots(KernelBuilder &b, Value codes, Value input,
                             Value firstRow) const {
  int64_t lines = cast<MemRefType>(codes.getType()).getDimSize(1);
  auto addLine = [&](Value line, ValueRange sums) {
    Values quads;
    for (unsigned panel = 0; panel < blockPanels(); ++panel)
      quads.push_back(vector::LoadOp::create(
          b, b.vectorOf(b.getI8Type(), 4 * lanes()), codes,
          ValueRange{b.index(panel), line, b.index(0)}));
    Values next(sums);
    for (unsigned row = 0; row < blockRows(); ++row) {
      Value x = vector::LoadOp::create(
          b, b.vectorOf(b.getI8Type(), 4), input,
          ValueRange{b.add(firstRow, row), b.mul(line, 4)});
      for (unsigned panel = 0; panel < blockPanels(); ++panel) {
        Value &sum = next[panel * blockRows() + row];
        sum = dot(b, sum, quads[panel], x);
      }
    }
    return next;
  };
  Values zeros(blockPanels() * blockRows(), b.splatInt(0, lanes()));
  return b.loop(b.index(0), b.index(lines), 1, zeros, addLine);
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
