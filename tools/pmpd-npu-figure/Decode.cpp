// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/pmpd-npu-figure/Generator.h"

#include <cinttypes>

using namespace pmpd::tools;

void Generator::storeKv() {
  // Decode stores one token of every head, prefill all rows of one.
  uint64_t stride = headStride() / 64;
  unsigned count = decoding() ? shape.heads : 1;
  uint64_t bytes = pmpd_npu_kv_token_bytes(kv, hd);
  auto store = [&](uint64_t local, uint64_t offset, uint64_t bytes,
                   Register token, const std::string &tokens) {
    code.salu("add", Scratch, HeadKv, token, 0);
    code.salu("mul", Row, PMPD_NPU_R_ROWS, 0, static_cast<int64_t>(bytes));
    code.line("st.len mode=qs %s rows=r%u breg=r2 oreg=r%u imm64=%" PRIu64
              " local=%" PRIu64 " cnt1=%u dstride64=%" PRIu64
              " lstride=%" PRIu64,
              tokens.c_str(), unsigned{Row}, unsigned{Scratch}, offset / 64,
              local, count, stride, bytes);
  };
  uint64_t scales = pmpd_npu_kv_part_offset(kv, hd, 2);
  std::string done = post(KvStored, KvFree);
  store(at.keys, 0, bytes, Token, wait(KvReady));
  store(at.values, valueOffset(), bytes, Token, kvScaled() ? "" : done);
  if (kvScaled()) {
    store(at.keyScales, scales, 2, TokenScale, "");
    store(at.valueScales, scales + 2 * PMPD_NPU_ATT_TOKENS, 2, TokenScale,
          done);
  }
}

void Generator::decodeLayers() {
  unsigned d = shape.hidden, f = shape.ffn;
  auto product = [&](const Tensor &w, uint64_t out, bool accumulate) {
    code.gate(unitOf(w), wait(Activated));
    pointAt(w, true);
    multiply({w, w.rows, at.codes, at.scales, out, 0, accumulate});
    code.gate(unitOf(w), post(Multiplied));
  };
  code.beginLoop(shape.layers);
  if (variant.norms)
    loadNorms();
  normalize(0, {at.x}, at.row,
            variant.norms ? wait(Multiplied, NormLoaded) : wait(Multiplied));
  activate(weights.qkv, at.row, d, post(Activated));
  product(weights.qkv, at.wide, false);

  code.line("rope mode=half %s x=%" PRIu64 " cs=%" PRIu64 " out=%" PRIu64
            " heads=%u hd8=%u n=%u",
            wait(Multiplied).c_str(), at.wide, at.rotations, at.wide,
            2 * shape.heads, hd / 8, shape.rotated / 2);
  auto quantize = [&](uint64_t x, uint64_t out, uint64_t scale,
                      const std::string &tokens) {
    code.line("kvq mode=%s %s x=%" PRIu64 " out=%" PRIu64 " scl=%" PRIu64
              " heads=%u hd=%u",
              kvName(), tokens.c_str(), x, out, scale, shape.heads, hd);
  };
  quantize(at.wide + 4 * d, at.keys, at.keyScales, wait(KvFree));
  quantize(at.wide + 8 * d, at.values, at.valueScales, post(KvReady, Queried));
  code.add(HeadKv, LayerKv, 0);
  storeKv();

  code.gate("qk", wait(KvStored));
  code.gate("mxu", wait(Queried));
  code.set(HeadOut, 0);
  code.beginLoop(shape.heads);
  attend({at.wide, HeadOut}, {at.heads, HeadOut}, 1);
  code.add(HeadOut, HeadOut, 4 * hd);
  code.add(HeadKv, HeadKv, static_cast<int64_t>(headStride()));
  code.endLoop();
  code.gate("mxu", post(Attended));

  activate(weights.o, at.heads, d, wait(Attended) + " " + post(Activated));
  product(weights.o, at.x, true);
  normalize(1, {at.x}, at.row,
            wait(Multiplied) +
                (variant.norms ? " " + post(NormFree) : std::string()));
  activate(weights.up, at.row, d, post(Activated));
  product(weights.up, at.wide, false);
  code.line("elt mode=%s %s a=%" PRIu64 " b=%" PRIu64 " out=%" PRIu64 " n=%u",
            shape.gated ? "silu_mul" : "gelu_tanh", wait(Multiplied).c_str(),
            at.wide, at.wide + 4 * f, at.wide, f);
  activate(weights.down, at.wide, f, post(Activated));
  product(weights.down, at.x, true);
  code.add(Layer, Layer, static_cast<int64_t>(weights.layerBytes));
  code.add(LayerKv, LayerKv, static_cast<int64_t>(layerKvBytes()));
  code.endLoop();
  code.gate("vpu", wait(Multiplied));
}
