// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_TOOLS_PMPD_NPU_FIGURE_SHAPE_H
#define PMPD_TOOLS_PMPD_NPU_FIGURE_SHAPE_H

#include "pmpd/npu_layout.h"

#include <cstdint>

namespace pmpd::tools {

/// The dimensions of a decoder with as many key and value heads as query heads.
struct Shape {
  const char *name;
  unsigned layers, hidden, heads, ffn, vocab;
  bool gated;       ///< silu(gate) * up instead of gelu(up)
  bool layerNorm;   ///< instead of RMS
  unsigned rotated; ///< elements of a head that RoPE turns

  unsigned headDim() const { return hidden / heads; }
};

/// What a program reads besides the planes of the blocks' weights.
struct Variant {
  unsigned bits = 4; ///< planes read of each weight; 16 = fp16 weights
  /// Flags of the weights' metadata: affine, or 0 for scales only.
  uint8_t form = PMPD_NPU_F_AFFINE;
  bool metadata = true; ///< false: not read at all
  /// Planes of the output head; 16 = fp16, 0 = no head.
  unsigned headBits = 16;
  uint8_t kvFormat = PMPD_NPU_KV_F16;
  bool norms = true; ///< reads the weights of the norms
};

/// What the paper's figure counts: planes of the blocks' weights and the KV
/// cache, nothing else.
inline Variant paperAccounting(unsigned bits) {
  Variant variant;
  variant.bits = bits;
  variant.metadata = variant.norms = false;
  variant.headBits = 0;
  return variant;
}

/// Everything a token needs: fp16 scale and minimum per group of 128, fp16
/// output head, norms, logits.
inline Variant fullAccounting(unsigned bits) {
  Variant variant;
  variant.bits = bits;
  return variant;
}

constexpr unsigned planesStored = 4; ///< of a nested weight
constexpr unsigned groupSize = 128;  ///< columns that share a scale
constexpr unsigned contextLength = 2048;

} // namespace pmpd::tools

#endif // PMPD_TOOLS_PMPD_NPU_FIGURE_SHAPE_H
