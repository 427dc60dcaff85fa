// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_TOOLS_PMPD_NPU_FIGURE_GENERATOR_H
#define PMPD_TOOLS_PMPD_NPU_FIGURE_GENERATOR_H

#include "tools/pmpd-npu-figure/Emitter.h"
#include "tools/pmpd-npu-figure/Weights.h"

namespace pmpd::tools {

/// Places in the scratchpad, as offsets.
struct Buffers {
  uint64_t x;      ///< residual, f32 [M][hidden]
  uint64_t codes;  ///< quantized or fp16 input of the products
  uint64_t scales; ///< its group scales
  uint64_t wide;   ///< outputs of the widest products
  uint64_t heads;  ///< outputs of the attention
  uint64_t state;  ///< of the attention
  uint64_t keys, values, keyScales, valueScales; ///< new ones, to be stored
  uint64_t norms, rotations, row;
  uint64_t tiles; ///< two KV tiles
  uint64_t ring;  ///< slots of weight tiles
  uint64_t end;
};

/// Writes the program of one region for a shape: decode if `rows` is 1, else
/// prefill of up to `rows` tokens.
class Generator {
public:
  /// `logitRows`: most rows whose logits are wanted.
  Generator(const Shape &shape, const Variant &variant, unsigned rows,
            unsigned logitRows = 1);

  /// The program file. Throws ToolError if it does not fit the scratchpad.
  std::vector<uint8_t> program();

  const Weights &weightFile() const { return weights; }

  /// The most rows of a prefill whose buffers leave room for the ring.
  static unsigned prefillRows(const Shape &shape, const Variant &variant);

  /// Columns of the feed-forward layer that prefill computes at a time.
  static constexpr unsigned slice = 256;

private:
  /// Activations times a part of a weight: outputs in the order of its rows.
  struct Product {
    const Tensor &weight;
    unsigned rows; ///< of the weight, from where Plane and Meta point
    uint64_t x, scales, out;
    uint64_t outStride;
    bool accumulate;
    Semaphore loaded = SlotLoaded;
    unsigned activationRows = PMPD_NPU_R_ROWS; ///< register
  };

  void placeBuffers();
  void multiply(const Product &product);
  void multiplyTile(const Product &product, unsigned rows, unsigned firstCol,
                    unsigned cols);
  void pointAt(const Tensor &tensor, bool inLayer, uint64_t firstRow = 0);
  /// The unit that multiplies with a weight.
  const char *unitOf(const Tensor &weight) const;

  void prologue();
  void decodeLayers();
  void prefillLayers();
  void prefillHeads();
  void prefillFeedForward();
  void outputHead();

  /// Codes or fp16 of `cols` f32 columns at `in`, for a product of `weight`.
  void activate(const Tensor &weight, uint64_t in, unsigned cols,
                const std::string &tokens);
  /// Rows of f32 that become codes or fp16 one after the other.
  struct Rows {
    uint64_t in, inStride; ///< the first one is at `in` + R[Row]
    unsigned cols;
    uint64_t codes, scales;
    unsigned columns; ///< of a row of codes, which begins at R[HeadOut]
    int norm = -1;    ///< which norm they go through before, or none
    unsigned count = PMPD_NPU_R_ROWS; ///< register
  };
  void activateRows(const Tensor &weight, const Rows &of);
  /// Norm 0 or 1 of the layer.
  void normalize(unsigned norm, Local in, uint64_t out,
                 const std::string &tokens);
  void loadNorms();
  void storeKv();
  /// Attention of one head: its cache at HeadKv.
  void attend(Local q, Local out, unsigned stride);

  bool decoding() const { return rows == 1; }
  /// Whether the bit-plane unit multiplies: for few rows that is faster than
  /// loading the matrix unit's weights.
  bool rowByRow() const { return rows <= 8; }
  const char *kvName() const;
  bool kvScaled() const { return kv != PMPD_NPU_KV_F16; }
  /// Bytes from a tile of a head's cache to the next, and of the whole of it:
  /// of K only where K and V are apart.
  uint64_t tileStride() const {
    return kvScaled() ? pmpd_npu_kv_tile_bytes(kv, hd)
                      : pmpd_npu_kv_part_offset(kv, hd, 1);
  }
  uint64_t headStride() const { return tileStride() * tiles; }
  /// Bytes from a tile's K to its V in DRAM.
  uint64_t valueOffset() const {
    return kvScaled() ? pmpd_npu_kv_part_offset(kv, hd, 1)
                      : headStride() * shape.heads;
  }
  uint64_t layerKvBytes() const {
    return pmpd_npu_kv_tile_bytes(kv, hd) * tiles * shape.heads;
  }
  std::string fileText();

  const Shape &shape;
  const Variant &variant;
  const unsigned rows, logitRows, hd, kv;
  const unsigned tiles; ///< of a head's KV cache
  Weights weights;
  Buffers at = {};
  uint64_t tileBytes, slotBytes, slots = 0;
  Emitter code;
};

} // namespace pmpd::tools

#endif // PMPD_TOOLS_PMPD_NPU_FIGURE_GENERATOR_H
