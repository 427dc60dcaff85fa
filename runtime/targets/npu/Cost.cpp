// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/targets/npu/Cost.h"
#include "pmpd/npu_layout.h"

#include <cmath>

using namespace pmpd::npu;

static double blocks(double n, double size) { return std::ceil(n / size); }

/// Passes over the planes: a codebook needs one per subset.
static double planePasses(const pmpd_npu_header &h) {
  unsigned bits = h.mode & 15;
  return h.flags & PMPD_NPU_F_LUT ? (1u << bits) - 1 : bits;
}

/// Bytes of one activation row with its group scales.
static double quantizedBytes(const pmpd_npu_header &h, double k) {
  return k * (h.flags & PMPD_NPU_F_A16 ? 2 : 1) +
         k / groupOf(h) * sizeof(pmpd_npu_group_scale);
}

/// What BPMV and MMQ share: bytes and scaling of `rows` activation rows.
static Cost nestedCost(const pmpd_npu_header &h, double rows, unsigned n,
                       unsigned k) {
  Cost cost;
  unsigned bits = h.mode & 15, group = groupOf(h);
  double terms = h.flags & PMPD_NPU_F_LUT      ? 1u << bits
                 : h.flags & PMPD_NPU_F_AFFINE ? 2
                                               : 1;
  cost.vectorOps = rows * n * (k / group) * 3 * terms; // fmul, fmul, fadd
  cost.readBytes =
      static_cast<double>(pmpd_npu_planes_bytes(n, k, bits)) +
      static_cast<double>(pmpd_npu_metadata_bytes(n, k, group, h.flags, bits)) +
      rows * quantizedBytes(h, k) +
      (h.flags & PMPD_NPU_F_ACC ? rows * 4 * n : 0);
  cost.writtenBytes = rows * 4 * n;
  return cost;
}

/// Cycles of the matrix unit for `passes` passes over M rows.
static double matrixCycles(const Hardware &hw, double rows, double n, double k,
                           double passes) {
  return blocks(k, hw.mxuRows) * blocks(n, hw.mxuColumns) *
             std::max(rows * passes, hw.mxuRows) +
         hw.mxuFillCycles;
}

static Cost attentionCost(const Work &work, const Hardware &hw) {
  Cost cost;
  const pmpd_npu_att &in = work.instruction->att;
  double hd = 8 * in.hd8, width = in.h.mode == PMPD_NPU_KV_F16
                                      ? hw.attHalfPerCycle
                                      : hw.attIntPerCycle;
  cost.cycles = hw.vpuStartCycles;
  double vectors = work.rows * in.nq * hd;
  for (uint64_t m = 0; m < work.rows; ++m) {
    double tokens = work.visible(m);
    cost.cycles += in.nq * (blocks(2 * tokens * hd, width) +
                            blocks(tokens ? tokens + 1 : 0, hw.sfuLanes));
    cost.halfMacs += in.nq * 2 * tokens * hd;
    cost.specialOps += in.nq * (tokens ? tokens + 1 : 0);
    cost.vectorOps += in.nq * (tokens ? 4 * tokens + hd : 0);
  }
  cost.readBytes = 8 * vectors + 2 * work.visible(work.rows - 1) *
                                     pmpd_npu_kv_token_bytes(in.h.mode, hd);
  cost.writtenBytes = 4 * vectors;
  if (in.h.flags & PMPD_NPU_F_LAST) {
    cost.cycles += work.rows * in.nq * blocks(hd, hw.sfuLanes);
    cost.specialOps += vectors;
    cost.writtenBytes += 4 * vectors;
  }
  return cost;
}

/// A vector instruction over `rows` rows of n elements: operations and special
/// functions per element, folds and special functions per row.
static Cost vectorCost(const Hardware &hw, double rows, double n, double ops,
                       double special, double folds, double specialPerRow) {
  Cost cost;
  cost.vectorOps = rows * n * ops;
  cost.specialOps = rows * (n * special + specialPerRow);
  cost.cycles =
      hw.vpuStartCycles +
      rows * (ops * blocks(n, hw.vpuLanes) + folds * hw.vpuFoldCycles) +
      blocks(cost.specialOps, hw.sfuLanes);
  return cost;
}

static Cost elementwiseCost(const Work &work, const Hardware &hw) {
  const pmpd_npu_elt &in = work.instruction->elt;
  struct {
    double ops, special;
  } per = {1, 0};
  switch (in.h.mode) {
  case PMPD_NPU_SILU:
    per = {1, 2};
    break;
  case PMPD_NPU_SILU_MUL:
    per = {2, 2};
    break;
  case PMPD_NPU_GELU_TANH:
    per = {7, 2};
    break;
  case PMPD_NPU_GELU_ERF:
    per = {14, 2};
    break;
  default:
    break;
  }
  Cost cost = vectorCost(hw, work.rows, in.n, per.ops, per.special, 0, 0);
  double elements = static_cast<double>(work.rows) * in.n;
  cost.readBytes = elements * ((in.h.mode == PMPD_NPU_CVT32 ? 2 : 4) +
                               (readsB(in.h.mode) ? 4 : 0));
  cost.writtenBytes = elements * (in.h.mode == PMPD_NPU_CVT16 ? 2 : 4);
  return cost;
}

Cost pmpd::npu::costOf(const Work &work, const Hardware &hw) {
  const pmpd_npu_instruction &in = *work.instruction;
  const pmpd_npu_header &h = in.h;
  double rows = static_cast<double>(work.rows);
  Cost cost;
  if (work.rows == 0)
    return cost;
  switch (h.op) {
  case PMPD_NPU_LD:
    cost.writtenBytes = static_cast<double>(work.dmaBytes());
    break;
  case PMPD_NPU_ST:
    cost.readBytes = static_cast<double>(work.dmaBytes());
    break;
  case PMPD_NPU_BPMV:
    cost = nestedCost(h, 1, in.bpmv.N, in.bpmv.K);
    cost.planeBits =
        static_cast<double>(in.bpmv.N) * in.bpmv.K * planePasses(h);
    cost.wideActivations = h.flags & PMPD_NPU_F_A16;
    cost.cycles = hw.bpuFillCycles + blocks(in.bpmv.N, hw.bpuRows) *
                                         blocks(in.bpmv.K, hw.bpuColumns) *
                                         planePasses(h);
    break;
  case PMPD_NPU_MMQ: {
    cost = nestedCost(h, rows, in.mmq.N, in.mmq.K);
    double passes = (h.flags & PMPD_NPU_F_A16 ? hw.mxuA16Passes : 1) *
                    (h.flags & PMPD_NPU_F_LUT ? planePasses(h) : 1);
    cost.int8Macs = rows * in.mmq.N * in.mmq.K * passes;
    cost.cycles = matrixCycles(hw, rows, in.mmq.N, in.mmq.K, passes);
    break;
  }
  case PMPD_NPU_MMH: {
    double n = in.mmh.N, k = in.mmh.K;
    cost.halfMacs = rows * n * k;
    cost.cycles = matrixCycles(hw, rows, n, k, hw.mxuHalfPasses);
    cost.readBytes =
        static_cast<double>(pmpd_npu_half_bytes(in.mmh.N, in.mmh.K)) +
        rows * 2 * k + (h.flags & PMPD_NPU_F_ACC ? rows * 4 * n : 0);
    cost.writtenBytes = rows * 4 * n;
    break;
  }
  case PMPD_NPU_ATT:
    return attentionCost(work, hw);
  case PMPD_NPU_QACT:
    cost =
        vectorCost(hw, rows, in.qact.K, 4, 0, 1, 2.0 * in.qact.K / groupOf(h));
    cost.readBytes = rows * 4 * in.qact.K;
    cost.writtenBytes = rows * quantizedBytes(h, in.qact.K);
    break;
  case PMPD_NPU_NORM:
    cost = h.mode ? vectorCost(hw, rows, in.norm.D, 7, 0, 2, 4)
                  : vectorCost(hw, rows, in.norm.D, 4, 0, 1, 3);
    cost.readBytes = (rows + 1 + h.mode) * 4 * in.norm.D;
    cost.writtenBytes = rows * 4 * in.norm.D;
    break;
  case PMPD_NPU_ROPE: {
    double elements = 8.0 * in.rope.hd8 * in.rope.heads;
    cost = vectorCost(hw, rows, elements, 3, 0, 0, 0);
    cost.readBytes = rows * (4 * elements + 8 * in.rope.n);
    cost.writtenBytes = rows * 4 * elements;
    break;
  }
  case PMPD_NPU_ELT:
    return elementwiseCost(work, hw);
  case PMPD_NPU_RED:
    cost = vectorCost(hw, 1, in.red.n, 2, 0, 1, 0);
    cost.readBytes = 4.0 * in.red.n;
    cost.writtenBytes = 4;
    break;
  case PMPD_NPU_KVQ: {
    double elements = static_cast<double>(in.kvq.heads) * in.kvq.hd;
    bool scaled = h.mode != PMPD_NPU_KV_F16;
    cost = vectorCost(hw, rows, elements, scaled ? 3 : 1, 0, scaled,
                      scaled ? 2.0 * in.kvq.heads : 0);
    cost.readBytes = rows * 4 * elements;
    cost.writtenBytes = rows * (elements * pmpd_npu_kv_bits(h.mode) / 8 +
                                (scaled ? 2 * in.kvq.heads : 0));
    break;
  }
  default:
    break;
  }
  return cost;
}

double pmpd::npu::transferCycles(const Work &work, const Hardware &hw) {
  double bytes = static_cast<double>(work.dmaBytes());
  return bytes / std::min(hw.dramBytesPerCycle(), hw.dmaBytesPerCycle) +
         static_cast<double>(work.count) * hw.dmaSegmentNs * hw.clockGhz;
}
