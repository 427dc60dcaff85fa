// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_LIB_CODEGEN_ISA_VNNI_H
#define PMPD_LIB_CODEGEN_ISA_VNNI_H

#include "lib/Codegen/isa/Isa.h"

namespace pmpd::codegen {

/// vpdpbusd multiplies codes where they stand in their bytes: the sums of one
/// shift are divided once, at the end of a group.
struct VNNI : Isa {
  explicit VNNI(llvm::StringLiteral dotName) : dotName(dotName) {}

  Value dot(KernelBuilder &b, Value partial, Value codes,
            Value x) const override;

  llvm::StringLiteral dotName;
};

struct AVX512VNNI : VNNI {
  AVX512VNNI() : VNNI("llvm.x86.avx512.vpdpbusd.512") {}
  unsigned lanes() const override { return 16; }
  unsigned rowTile(Activations activations) const override {
    return activations == Activations::Q16 ? 2 : 4;
  }
  unsigned unrolledTiles() const override { return 4; }
  Value select(KernelBuilder &b, uint8_t mask, Value onSet,
               Value onClear) const override;

  unsigned blockRows() const override { return 8; }
  unsigned blockPanels() const override { return 2; }
  Values blockDots(KernelBuilder &b, Value codes, Value input,
                   Value firstRow) const override;
};

} // namespace pmpd::codegen

#endif // PMPD_LIB_CODEGEN_ISA_VNNI_H
