// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/pmpd-npu-figure/Weights.h"

using namespace pmpd::tools;

uint64_t Tensor::valueBytes(unsigned n, unsigned k) const {
  return quantized() ? pmpd_npu_planes_bytes(n, k, bits)
                     : pmpd_npu_half_bytes(n, k);
}

uint64_t Tensor::metadataBytes(unsigned n, unsigned k) const {
  return quantized() ? pmpd_npu_metadata_bytes(n, k, groupSize, form, bits) : 0;
}

uint64_t Tensor::metadataRowBytes() const {
  return metadataBytes(PMPD_NPU_ROW_BLOCK, cols) / PMPD_NPU_ROW_BLOCK;
}

/// A weight that begins at `offset`.
static Tensor place(unsigned rows, unsigned cols, unsigned bits, uint8_t form,
                    uint64_t offset) {
  Tensor tensor = {rows, cols, bits, form, offset, 0, 0};
  tensor.metadata =
      offset + (tensor.quantized()
                    ? pmpd_npu_planes_bytes(rows, cols, planesStored)
                    : pmpd_npu_half_bytes(rows, cols));
  tensor.end = tensor.metadata + tensor.metadataBytes(rows, cols);
  return tensor;
}

Weights::Weights(const Shape &shape, const Variant &variant) {
  unsigned d = shape.hidden;
  auto next = [&](unsigned rows, unsigned cols, uint64_t offset) {
    return place(rows, cols, variant.bits, variant.form, offset);
  };
  qkv = next(3 * d, d, 0);
  o = next(d, d, qkv.end);
  up = next((shape.gated ? 2 : 1) * shape.ffn, d, o.end);
  down = next(d, shape.ffn, up.end);
  norms = down.end;
  layerBytes = norms + 4 * 4 * d;
  head = place(shape.vocab, d, variant.headBits ? variant.headBits : 16,
               variant.form, shape.layers * layerBytes);
  embedding = head.end;
  rotations = embedding + uint64_t{2} * shape.vocab * d;
  bytes = rotations + uint64_t{4} * contextLength * shape.rotated;
}
