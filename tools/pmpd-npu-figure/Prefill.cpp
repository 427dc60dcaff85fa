// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/pmpd-npu-figure/Generator.h"

#include <cinttypes>

using namespace pmpd::tools;

void Generator::activateRows(const Tensor &weight, const Rows &of) {
  // One row after the other: the f32 rows of a norm do not all fit.
  code.add(RowCode, HeadOut, 0);
  code.salu("shr", RowScale, HeadOut, 0, 5); // 8 bytes per 128 codes of 2
  code.beginLoopOf(of.count);
  Local x = {of.in, Row}, q = {of.codes, RowCode}, s = {of.scales, RowScale};
  if (of.norm >= 0) {
    normalize(static_cast<unsigned>(of.norm), x, at.row, "");
    x = {at.row};
  }
  if (weight.quantized())
    code.line("qact.a16 group=%u x=%s q=%s s=%s K=%u", groupSize,
              x.text().c_str(), q.text().c_str(), s.text().c_str(), of.cols);
  else
    code.line("elt mode=cvt16 a=%s out=%s n=%u", x.text().c_str(),
              q.text().c_str(), of.cols);
  code.add(Row, Row, static_cast<int64_t>(of.inStride));
  code.add(RowCode, RowCode, 2 * of.columns);
  code.add(RowScale, RowScale, 8 * of.columns / groupSize);
  code.endLoop();
}

void Generator::prefillHeads() {
  unsigned d = shape.hidden, stride = 12 * hd; // q, k and v of one head
  const Tensor &w = weights.qkv;
  code.set(Head, 0);
  code.set(HeadMeta, 0);
  code.set(HeadOut, 0);
  code.add(HeadKv, LayerKv, 0);
  code.beginLoop(shape.heads);
  code.gate(unitOf(w), wait(Activated));
  for (unsigned part = 0; part < 3; ++part) {
    pointAt(w, true, part * d);
    code.salu("add", Plane, Plane, Head, 0);
    code.salu("add", Meta, Meta, HeadMeta, 0);
    multiply(
        {w, hd, at.codes, at.scales, at.wide + part * 4 * hd, stride, false});
  }
  code.gate(unitOf(w), post(Multiplied));

  code.line("rope mode=half %s rows=r7 x=%" PRIu64 " cs=%" PRIu64
            " out=%" PRIu64 " heads=2 hd8=%u n=%u xstride64=%u ostride64=%u",
            wait(Multiplied).c_str(), at.wide, at.rotations, at.wide, hd / 8,
            shape.rotated / 2, stride / 64, stride / 64);
  auto quantize = [&](uint64_t x, uint64_t out, uint64_t scale,
                      const std::string &tokens) {
    code.line("kvq mode=%s %s rows=r7 x=%" PRIu64 " out=%" PRIu64
              " scl=%" PRIu64 " heads=1 hd=%u xstride64=%u",
              kvName(), tokens.c_str(), x, out, scale, hd, stride / 64);
  };
  quantize(at.wide + 4 * hd, at.keys, at.keyScales, wait(KvFree));
  quantize(at.wide + 8 * hd, at.values, at.valueScales, post(KvReady, Queried));
  storeKv();
  code.gate("qk", wait(KvStored));
  code.gate("mxu", wait(Queried));
  attend({at.wide}, {at.wide}, 3);
  code.gate("mxu", post(Attended));
  // The buffer is free for the next head once the outputs are copied.
  code.line("elt mode=copy %s %s rows=r7 a=%" PRIu64 " out=%s n=%u "
            "astride64=%u ostride64=%u",
            wait(Attended).c_str(), post(Activated).c_str(), at.wide,
            Local{at.heads, HeadOut}.text().c_str(), hd, stride / 64, d / 16);
  code.add(Head, Head, static_cast<int64_t>(hd * w.rowBytes()));
  code.add(HeadMeta, HeadMeta, static_cast<int64_t>(hd * w.metadataRowBytes()));
  code.add(HeadOut, HeadOut, 4 * hd);
  code.add(HeadKv, HeadKv, static_cast<int64_t>(headStride()));
  code.endLoop();
}

void Generator::prefillFeedForward() {
  unsigned f = shape.ffn, parts = shape.gated ? 2 : 1;
  unsigned stride = 4 * slice * parts;
  const Tensor &w = weights.up;
  uint64_t scales = at.heads + 2 * rows * f;
  code.set(Head, 0);
  code.set(HeadMeta, 0);
  code.set(HeadOut, 0);
  code.beginLoop(f / slice);
  code.gate(unitOf(w), wait(Activated));
  for (unsigned part = 0; part < parts; ++part) {
    pointAt(w, true, part * f);
    code.salu("add", Plane, Plane, Head, 0);
    code.salu("add", Meta, Meta, HeadMeta, 0);
    multiply({w, slice, at.codes, at.scales, at.wide + part * 4 * slice, stride,
              false});
  }
  code.gate(unitOf(w), post(Multiplied));
  code.line("elt mode=%s %s rows=r7 a=%" PRIu64 " b=%" PRIu64 " out=%" PRIu64
            " n=%u astride64=%u ostride64=%u",
            shape.gated ? "silu_mul" : "gelu_tanh", wait(Multiplied).c_str(),
            at.wide, at.wide + 4 * slice, at.wide, slice, stride / 64,
            stride / 64);
  code.set(Row, 0);
  activateRows(weights.down, {at.wide, stride, slice, at.heads, scales, f});
  code.gate("vpu", post(Activated));
  code.add(Head, Head, static_cast<int64_t>(slice * w.rowBytes()));
  code.add(HeadMeta, HeadMeta,
           static_cast<int64_t>(slice * w.metadataRowBytes()));
  code.add(HeadOut, HeadOut, 2 * slice);
  code.endLoop();

  code.gate(unitOf(w), wait(Activated));
  pointAt(weights.down, true);
  multiply({weights.down, shape.hidden, at.heads, scales, at.x,
            4 * shape.hidden, true});
  code.gate(unitOf(w), post(Multiplied));
}

void Generator::prefillLayers() {
  unsigned d = shape.hidden;
  auto activateAll = [&](const Tensor &w, uint64_t in, int norm) {
    code.set(Row, 0);
    code.set(HeadOut, 0);
    activateRows(w, {in, 4 * d, d, at.codes, at.scales, d, norm});
    code.gate("vpu", post(Activated));
  };
  code.beginLoop(shape.layers);
  if (variant.norms) {
    loadNorms();
    code.gate("vpu", wait(NormLoaded));
  }
  code.gate("vpu", wait(Multiplied));
  activateAll(weights.qkv, at.x, 0);
  prefillHeads();

  code.gate(unitOf(weights.o), wait(Activated));
  activateAll(weights.o, at.heads, -1);
  code.gate(unitOf(weights.o), wait(Activated));
  pointAt(weights.o, true);
  multiply({weights.o, d, at.codes, at.scales, at.x, 4 * d, true});
  code.gate(unitOf(weights.o), post(Multiplied));

  code.gate("vpu", wait(Multiplied));
  activateAll(weights.up, at.x, 1);
  if (variant.norms)
    code.gate("vpu", post(NormFree));
  prefillFeedForward();
  code.add(Layer, Layer, static_cast<int64_t>(weights.layerBytes));
  code.add(LayerKv, LayerKv, static_cast<int64_t>(layerKvBytes()));
  code.endLoop();
  code.gate("vpu", wait(Multiplied));
}
