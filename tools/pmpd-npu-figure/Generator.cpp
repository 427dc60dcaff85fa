// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/pmpd-npu-figure/Generator.h"

#include "runtime/targets/npu/Isa.h"
#include "runtime/targets/npu/Text.h"
#include "tools/support/Tool.h"

#include <algorithm>
#include <cinttypes>

using namespace pmpd::tools;

/// Scratchpad and accumulators of the named configurations.
static constexpr uint64_t scratchpadBytes = (2048 + 256) * 1024;

Generator::Generator(const Shape &shape, const Variant &variant, unsigned rows,
                     unsigned logitRows)
    : shape(shape), variant(variant), rows(rows), logitRows(logitRows),
      hd(shape.headDim()), kv(variant.kvFormat),
      tiles(contextLength / PMPD_NPU_ATT_TOKENS), weights(shape, variant),
      tileBytes((rows == 1 ? 128 : 64) * 1024),
      // Metadata are at most an eighth of two planes.
      slotBytes(tileBytes / 8 * 9) {
  placeBuffers();
}

void Generator::placeBuffers() {
  uint64_t end = 0;
  auto reserve = [&](uint64_t bytes) {
    uint64_t begin = end;
    end = pmpd_round_up(end + bytes, 64);
    return begin;
  };
  uint64_t d = shape.hidden, f = shape.ffn, m = rows;
  at.x = reserve(4 * m * d);
  uint64_t widest = decoding() ? std::max(d, f) : d;
  at.codes = reserve(2 * m * widest);
  at.scales = reserve(8 * m * widest / groupSize);
  uint64_t outputs = decoding() ? std::max<uint64_t>({3 * d, 2 * f, d})
                                : m * std::max<uint64_t>(3 * hd, 2 * slice);
  at.wide = reserve(4 * outputs);
  uint64_t heads = 4 * m * d;
  if (!decoding()) // later the codes of the whole feed-forward layer
    heads = std::max(heads, 2 * m * f + 8 * m * f / groupSize);
  if (variant.headBits) // and at last the logits
    heads = std::max<uint64_t>(heads, 4 * shape.vocab * logitRows);
  at.heads = reserve(heads);
  at.state = reserve(m * (64 + 4 * hd));
  uint64_t fresh = m * (decoding() ? shape.heads : 1);
  at.keys = reserve(2 * fresh * hd);
  at.values = reserve(2 * fresh * hd);
  at.keyScales = reserve(2 * fresh);
  at.valueScales = reserve(2 * fresh);
  at.norms = reserve(4 * 4 * d);
  at.rotations = reserve(4 * m * shape.rotated);
  at.row = reserve(4 * d);
  at.tiles = reserve(2 * pmpd_round_up(pmpd_npu_kv_tile_bytes(kv, hd), 64));
  at.ring = end;
  slots = end < scratchpadBytes
              ? std::min<uint64_t>((scratchpadBytes - end) / slotBytes, 6)
              : 0;
  at.end = end + slots * slotBytes;
}

unsigned Generator::prefillRows(const Shape &shape, const Variant &variant) {
  for (unsigned rows : {64, 32, 16})
    if (Generator(shape, variant, rows).slots >= 3)
      return rows;
  throw ToolError(std::string(shape.name) +
                  ": expected buffers of 16 tokens to fit the scratchpad");
}

void Generator::pointAt(const Tensor &tensor, bool inLayer, uint64_t firstRow) {
  unsigned base = inLayer ? unsigned{Layer} : 0;
  code.add(Plane, base,
           static_cast<int64_t>(tensor.planes + firstRow * tensor.rowBytes()));
  code.add(Meta, base,
           static_cast<int64_t>(tensor.metadata +
                                firstRow * tensor.metadataRowBytes()));
}

const char *Generator::kvName() const {
  return npu::valueNames(PMPD_NPU_KVQ)[kv];
}

const char *Generator::unitOf(const Tensor &weight) const {
  return rowByRow() && weight.quantized() ? "bpu" : "mxu";
}

void Generator::multiplyTile(const Product &p, unsigned n, unsigned firstCol,
                             unsigned cols) {
  const Tensor &w = p.weight;
  Local slot = {at.ring, Slot};
  uint64_t values = w.valueBytes(n, cols);
  bool metadata = w.quantized() && variant.metadata;
  std::string done =
      metadata ? "" : " post=" + std::to_string(unsigned{p.loaded});
  if (w.quantized())
    code.line("ld mode=qw wait=%u%s breg=r1 oreg=r%u imm64=%u local=%s "
              "len0=%" PRIu64 " cnt1=%u dstride64=%" PRIu64 " lstride=%" PRIu64,
              unsigned{SlotFree}, done.c_str(), unsigned{Plane}, firstCol / 8,
              slot.text().c_str(), pmpd_npu_plane_bytes(n, cols), w.bits,
              pmpd_npu_plane_bytes(w.rows, w.cols) / 64,
              pmpd_npu_plane_bytes(n, cols));
  else
    code.line("ld mode=qw wait=%u%s breg=r1 oreg=r%u imm64=%u local=%s "
              "len0=%" PRIu64 " cnt1=1",
              unsigned{SlotFree}, done.c_str(), unsigned{Plane}, 2 * firstCol,
              slot.text().c_str(), values);
  if (metadata)
    code.line("ld mode=qw post=%u breg=r1 oreg=r%u imm64=%" PRIu64 " local=%s "
              "len0=%" PRIu64 " cnt1=1",
              unsigned{p.loaded}, unsigned{Meta},
              w.metadataBytes(PMPD_NPU_ROW_BLOCK, firstCol) / 64,
              (slot + values).text().c_str(), w.metadataBytes(n, cols));

  uint64_t x = p.x + 2 * firstCol,
           scales = p.scales + 8 * (firstCol / groupSize);
  std::string tokens = wait(p.loaded) + " " + post(SlotFree);
  std::string out = Local{p.out, Out}.text();
  const char *acc = firstCol || p.accumulate ? ".acc" : "";
  const char *form = w.form & PMPD_NPU_F_AFFINE ? ".affine" : "";
  if (!w.quantized())
    code.line("mmh%s %s rows=r%u w=%s x=%" PRIu64 " out=%s N=%u K=%u "
              "xstride64=%u ostride64=%" PRIu64,
              acc, tokens.c_str(), p.activationRows, slot.text().c_str(), x,
              out.c_str(), n, cols, w.cols / 32, p.outStride / 64);
  else if (!rowByRow())
    code.line("mmq%s.a16%s bits=%u group=%u %s rows=r%u w=%s x=%" PRIu64
              " sx=%" PRIu64 " out=%s N=%u K=%u xcols32=%u ostride64=%" PRIu64,
              acc, form, w.bits, groupSize, tokens.c_str(), p.activationRows,
              slot.text().c_str(), x, scales, out.c_str(), n, cols, w.cols / 32,
              p.outStride / 64);
  else
    for (unsigned m = 0; m < rows; ++m)
      code.line("bpmv%s.a16%s bits=%u group=%u %s %s w=%s x=%" PRIu64
                " sx=%" PRIu64 " sw=%s out=%s N=%u K=%u",
                acc, form, w.bits, groupSize,
                m == 0 ? wait(p.loaded).c_str() : "",
                m + 1 == rows ? post(SlotFree).c_str() : "",
                slot.text().c_str(), x + uint64_t{2} * m * w.cols,
                scales + uint64_t{8} * m * (w.cols / groupSize),
                (slot + values).text().c_str(),
                Local{p.out + m * p.outStride, Out}.text().c_str(), n, cols);
  code.add(Slot, Slot, static_cast<int64_t>(slotBytes));
  code.salu("rem", Slot, Slot, 0, static_cast<int64_t>(slots * slotBytes));
}

void Generator::multiply(const Product &p) {
  const Tensor &w = p.weight;
  constexpr unsigned block = PMPD_NPU_ROW_BLOCK;
  unsigned n = block, steps = 1;
  if (uint64_t bytes = w.valueBytes(block, w.cols); bytes > tileBytes)
    steps = static_cast<unsigned>((bytes + tileBytes - 1) / tileBytes);
  else // as many blocks as fit, in a number that leaves none
    for (unsigned rows = block; rows <= p.rows; rows += block)
      if (p.rows % rows == 0 && w.valueBytes(rows, w.cols) <= tileBytes)
        n = rows;
  unsigned groups = w.cols / groupSize;
  code.set(Out, 0);
  code.beginLoop(p.rows / n);
  for (unsigned i = 0; i < steps; ++i) {
    unsigned first = i * groups / steps, last = (i + 1) * groups / steps;
    multiplyTile(p, n, first * groupSize, (last - first) * groupSize);
  }
  code.add(Plane, Plane, static_cast<int64_t>(n * w.rowBytes()));
  code.add(Meta, Meta, static_cast<int64_t>(n * w.metadataRowBytes()));
  code.add(Out, Out, 4 * n);
  code.endLoop();
}

void Generator::activate(const Tensor &weight, uint64_t in, unsigned cols,
                         const std::string &tokens) {
  if (weight.quantized())
    code.line("qact.a16 group=%u %s x=%" PRIu64 " q=%" PRIu64 " s=%" PRIu64
              " K=%u",
              groupSize, tokens.c_str(), in, at.codes, at.scales, cols);
  else
    code.line("elt mode=cvt16 %s a=%" PRIu64 " out=%" PRIu64 " n=%u",
              tokens.c_str(), in, at.codes, cols);
}

void Generator::normalize(unsigned norm, Local in, uint64_t out,
                          const std::string &tokens) {
  uint64_t weight = at.norms + norm * 8 * shape.hidden;
  code.line("norm mode=%s %s x=%s w=%" PRIu64 " b=%" PRIu64 " out=%" PRIu64
            " D=%u eps=0x1.4f8b58p-17",
            shape.layerNorm ? "layer" : "rms", tokens.c_str(),
            in.text().c_str(), weight, weight + 4 * shape.hidden, out,
            shape.hidden);
}

void Generator::attend(Local q, Local out, unsigned stride) {
  uint64_t part = pmpd_npu_kv_part_offset(kv, hd, 1);
  uint64_t whole = pmpd_npu_kv_tile_bytes(kv, hd);
  uint64_t scales = pmpd_npu_kv_part_offset(kv, hd, 2);
  auto attention = [&](const char *flag, const char *tokens, unsigned seen) {
    code.line("att%s mode=%s %s rows=r7 q=%s kv=%s state=%" PRIu64
              " out=%s hd8=%u nq=1 treg=r%u heads=%u scale=0x1p-3",
              flag, kvName(), tokens, q.text().c_str(),
              Local{at.tiles, TileSlot}.text().c_str(), at.state,
              out.text().c_str(), hd / 8, seen, stride);
  };
  attention(".first", "", None);
  code.add(TileKv, HeadKv, 0);
  code.add(Visible, PMPD_NPU_R_POSITION, 1);
  code.beginLoopOf(Tiles);
  code.salu("add", TileBytes, Visible, PMPD_NPU_R_ROWS, -1);
  code.salu("min", TileBytes, TileBytes, 0, PMPD_NPU_ATT_TOKENS);
  code.salu("mul", TileBytes, TileBytes, 0,
            static_cast<int64_t>(pmpd_npu_kv_token_bytes(kv, hd)));
  std::string loaded = " post=" + std::to_string(unsigned{TileLoaded});
  code.line("ld.len mode=qk wait=%u%s rows=r%u breg=r2 oreg=r%u local=%s "
            "cnt1=2 dstride64=%" PRIu64 " lstride=%" PRIu64,
            unsigned{TileFree}, kvScaled() ? "" : loaded.c_str(),
            unsigned{TileBytes}, unsigned{TileKv},
            Local{at.tiles, TileSlot}.text().c_str(), valueOffset() / 64, part);
  if (kvScaled())
    code.line("ld mode=qk%s breg=r2 oreg=r%u imm64=%" PRIu64 " local=%s "
              "len0=256 cnt1=1",
              loaded.c_str(), unsigned{TileKv}, scales / 64,
              Local{at.tiles + scales, TileSlot}.text().c_str());
  std::string tokens = "wait=" + std::to_string(unsigned{TileLoaded}) +
                       " post=" + std::to_string(unsigned{TileFree});
  attention("", tokens.c_str(), Visible);
  code.add(TileKv, TileKv, static_cast<int64_t>(tileStride()));
  code.add(Visible, Visible, -int64_t{PMPD_NPU_ATT_TOKENS});
  code.add(TileSlot, TileSlot, static_cast<int64_t>(pmpd_round_up(whole, 64)));
  code.salu("rem", TileSlot, TileSlot, 0,
            static_cast<int64_t>(2 * pmpd_round_up(whole, 64)));
  code.endLoop();
  attention(".last", "", None);
}

void Generator::prologue() {
  code.set(None, -65536);
  code.salu("add", Tiles, PMPD_NPU_R_POSITION, PMPD_NPU_R_ROWS, 0);
  code.salu("ceildiv", Tiles, Tiles, 0, PMPD_NPU_ATT_TOKENS);
  // The first new token: its tile, then its place in it.
  code.salu("shr", Token, PMPD_NPU_R_POSITION, 0, 6);
  code.salu("mul", Token, Token, 0, static_cast<int64_t>(tileStride()));
  code.salu("and", Scratch, PMPD_NPU_R_POSITION, 0, PMPD_NPU_ATT_TOKENS - 1);
  code.salu("shl", TokenScale, Scratch, 0, 1);
  code.salu("add", TokenScale, TokenScale, Token, 0);
  code.salu("mul", Scratch, Scratch, 0,
            static_cast<int64_t>(pmpd_npu_kv_token_bytes(kv, hd)));
  code.salu("add", Token, Token, Scratch, 0);
  code.postAtStart(SlotFree, static_cast<unsigned>(slots));
  code.postAtStart(TileFree, 2);
  code.postAtStart(KvFree);
  code.postAtStart(NormFree);
  code.postAtStart(Multiplied);
  // The embedding of the first token stands for those of all.
  code.line("ld.cnt mode=qa rows=r7 breg=r1 oreg=r0 imm64=%" PRIu64
            " local=%" PRIu64 " len0=%u dstride64=%u lstride=%u",
            weights.embedding / 64, at.codes, 2 * shape.hidden,
            shape.hidden / 32, 2 * shape.hidden);
  code.salu("mul", Scratch, PMPD_NPU_R_POSITION, 0, 4 * shape.rotated);
  code.salu("mul", Row, PMPD_NPU_R_ROWS, 0, 4 * shape.rotated);
  code.line("ld.len mode=qa post=%u rows=r%u breg=r1 oreg=r%u imm64=%" PRIu64
            " local=%" PRIu64 " cnt1=1",
            unsigned{NormLoaded}, unsigned{Row}, unsigned{Scratch},
            weights.rotations / 64, at.rotations);
  code.line("elt mode=cvt32 wait=%u rows=r7 a=%" PRIu64 " out=%" PRIu64
            " n=%u imm=0x1p+0 astride64=%u ostride64=%u",
            unsigned{NormLoaded}, at.codes, at.x, shape.hidden,
            shape.hidden / 32, shape.hidden / 16);
}

void Generator::outputHead() {
  if (!variant.headBits)
    return;
  const Tensor &w = weights.head;
  // Prefill wants the logits of some trailing rows, and perhaps none.
  code.salu("min", Scratch, PMPD_NPU_R_LOGIT_ROWS, 0, 1);
  code.beginLoopOf(Scratch);
  code.salu("sub", Row, PMPD_NPU_R_ROWS, PMPD_NPU_R_LOGIT_ROWS, 0);
  code.salu("mul", Row, Row, 0, 4 * shape.hidden);
  code.set(HeadOut, 0);
  activateRows(w, {at.x, 4 * shape.hidden, shape.hidden, at.codes, at.scales,
                   shape.hidden, 0, PMPD_NPU_R_LOGIT_ROWS});
  code.gate("vpu", post(HeadActive));
  pointAt(w, false);
  code.gate(unitOf(w), wait(HeadActive));
  multiply({w, shape.vocab, at.codes, at.scales, at.heads, 4 * shape.vocab,
            false, HeadLoaded, PMPD_NPU_R_LOGIT_ROWS});
  code.gate(unitOf(w), post(LogitsReady));
  code.line("st.cnt mode=qs %s rows=r%u breg=r4 local=%" PRIu64
            " len0=%u dstride64=%u lstride=%u",
            wait(LogitsReady).c_str(), unsigned{PMPD_NPU_R_LOGIT_ROWS},
            at.heads, 4 * shape.vocab, shape.vocab / 16, 4 * shape.vocab);
  code.endLoop();
}

void Generator::loadNorms() {
  code.line("ld mode=qa %s %s breg=r1 oreg=r%u imm64=%" PRIu64 " local=%" PRIu64
            " len0=%u cnt1=1",
            wait(NormFree).c_str(), post(NormLoaded).c_str(), unsigned{Layer},
            weights.norms / 64, at.norms, 16 * shape.hidden);
}

std::string Generator::fileText() {
  std::string text = ".program weights=" + std::string(32, '0') +
                     "\n.section \"STRS\" align=1\n.string \"\"\n.string "
                     "\"ref\"\n.string \"" +
                     (decoding() ? "decode" : "prefill") +
                     "\"\n.section \"HWRQ\" align=8\n";
  auto append = [&](const char *key, uint64_t value) {
    text += std::string(" ") + key + "=" + std::to_string(value);
  };
  text += "require isa_version=1 row_block=64 registers=32 semaphores=64 "
          "loop_levels=4 config_name=1";
  append("scratchpad_bytes", scratchpadBytes);
  text += "\n.section \"HWCF\" align=1\n.text \"{}\"\n"
          ".section \"ABI \" align=8\nabi version=1";
  append("kv_format", kv);
  append("vocab", shape.vocab);
  append("hidden", shape.hidden);
  append("layers", shape.layers);
  append("heads", shape.heads);
  append("kv_heads", shape.heads);
  append("head_dim", hd);
  append("context", contextLength);
  append("kv_bytes", layerKvBytes() * shape.layers);
  text += "\n.section \"RGNS\" align=8\nregion name=5";
  append("phase", decoding() ? PMPD_DECODE : PMPD_PREFILL);
  append("bits", variant.bits);
  append("activation_bits", 16);
  append("max_rows", rows);
  append("count", code.lines().size());
  append("scratchpad_peak", at.end);
  append("budget", uint64_t{1} << 32);
  text += "\n.section \"CODE\" align=64\n";
  for (const std::string &line : code.lines())
    text += line + "\n";
  return text;
}

std::vector<uint8_t> Generator::program() {
  if (slots < 2)
    throw ToolError(std::string(shape.name) +
                    ": expected buffers that leave room for two tiles");
  prologue();
  if (decoding())
    decodeLayers();
  else
    prefillLayers();
  outputHead();
  code.line("halt");
  std::vector<uint8_t> bytes;
  check(npu::assemble(shape.name, fileText(), bytes));
  return bytes;
}
