// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_TOOLS_PMPD_NPU_FIGURE_WEIGHTS_H
#define PMPD_TOOLS_PMPD_NPU_FIGURE_WEIGHTS_H

#include "tools/pmpd-npu-figure/Shape.h"

namespace pmpd::tools {

/// A weight in the file: planes or fp16, then metadata of the bits read.
struct Tensor {
  unsigned rows, cols;
  unsigned bits;     ///< planes read, or 16
  uint8_t form;      ///< of the metadata
  uint64_t planes;   ///< offset, relative to the layer for those of a block
  uint64_t metadata; ///< offset
  uint64_t end;      ///< offset behind it

  bool quantized() const { return bits < 16; }
  /// Bytes of `n` rows and `k` columns: of the planes read or of the fp16
  /// numbers, and of the metadata.
  uint64_t valueBytes(unsigned n, unsigned k) const;
  uint64_t metadataBytes(unsigned n, unsigned k) const;
  /// Bytes from one block of rows of a plane to the next, per row.
  uint64_t rowBytes() const { return quantized() ? cols / 8 : 2 * cols; }
  uint64_t metadataRowBytes() const;
};

/// Where everything of a model lies in its weight file.
struct Weights {
  Weights(const Shape &shape, const Variant &variant);

  Tensor qkv, o, up, down; ///< of each layer
  uint64_t norms;          ///< weights and biases of the layer's two norms
  uint64_t layerBytes;
  Tensor head;
  uint64_t embedding, rotations; ///< fp16 rows; f32 cosines and sines
  uint64_t bytes;
};

} // namespace pmpd::tools

#endif // PMPD_TOOLS_PMPD_NPU_FIGURE_WEIGHTS_H
