// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/targets/npu/Work.h"
#include "pmpd/npu_layout.h"

using namespace pmpd::npu;

Extents pmpd::npu::extentsOf(const Work &work) {
  Extents extents;
  const pmpd_npu_instruction &in = *work.instruction;
  const pmpd_npu_header &h = in.h;
  const uint64_t *at = work.local;
  uint64_t rows = work.rows;
  if (rows == 0)
    return extents;
  // Bytes from the first to the last of the rows, `bytes` each.
  auto strided = [&](uint64_t stride64, uint64_t bytes) {
    return (rows - 1) * stride64 * 64 + bytes;
  };
  uint64_t activationBytes = h.flags & PMPD_NPU_F_A16 ? 2 : 1;
  unsigned bits = h.mode & 15, group = groupOf(h);

  switch (h.op) {
  case PMPD_NPU_LD:
  case PMPD_NPU_ST:
    if (work.dmaBytes())
      extents.add(at[0], (work.count - 1) * in.dma.lstride + work.length, 1,
                  h.op == PMPD_NPU_LD);
    break;
  case PMPD_NPU_QACT: {
    const pmpd_npu_qact &i = in.qact;
    extents.add(at[0], strided(i.xstride64, 4 * i.K), 4, false);
    extents.add(at[1], rows * i.K * activationBytes, 4, true);
    extents.add(at[2], rows * (i.K / group) * sizeof(pmpd_npu_group_scale), 4,
                true);
    break;
  }
  case PMPD_NPU_BPMV: {
    const pmpd_npu_bpmv &i = in.bpmv;
    extents.add(at[0], pmpd_npu_planes_bytes(i.N, i.K, bits), 64, false);
    extents.add(at[1], i.K * activationBytes, 4, false);
    extents.add(at[2], i.K / group * sizeof(pmpd_npu_group_scale), 4, false);
    extents.add(at[3], pmpd_npu_metadata_bytes(i.N, i.K, group, h.flags, bits),
                64, false);
    extents.add(at[4], 4 * i.N, 4, true);
    break;
  }
  case PMPD_NPU_MMQ: {
    const pmpd_npu_mmq &i = in.mmq;
    uint64_t cols = 32 * i.xcols32;
    extents.add(at[0],
                pmpd_npu_planes_bytes(i.N, i.K, bits) +
                    pmpd_npu_metadata_bytes(i.N, i.K, group, h.flags, bits),
                64, false);
    extents.add(at[1], ((rows - 1) * cols + i.K) * activationBytes, 4, false);
    extents.add(at[2],
                ((rows - 1) * (cols / group) + i.K / group) *
                    sizeof(pmpd_npu_group_scale),
                4, false);
    extents.add(at[3], strided(i.ostride64, 4 * i.N), 4, true);
    break;
  }
  case PMPD_NPU_MMH: {
    const pmpd_npu_mmh &i = in.mmh;
    extents.add(at[0], pmpd_npu_half_bytes(i.N, i.K), 64, false);
    extents.add(at[1], strided(i.xstride64, 2 * i.K), 4, false);
    extents.add(at[2], strided(i.ostride64, 4 * i.N), 4, true);
    break;
  }
  case PMPD_NPU_ATT: {
    const pmpd_npu_att &i = in.att;
    uint64_t hd = 8 * i.hd8;
    uint64_t vectors = 4 * hd * ((rows - 1) * i.heads + i.nq);
    extents.add(at[0], vectors, 4, false);
    extents.add(at[1], pmpd_npu_kv_tile_bytes(h.mode, hd), 4, false);
    extents.add(at[2], rows * i.nq * (sizeof(pmpd_npu_att_state) + 4 * hd), 4,
                true);
    if (h.flags & PMPD_NPU_F_LAST)
      extents.add(at[3], vectors, 4, true);
    break;
  }
  case PMPD_NPU_NORM: {
    const pmpd_npu_norm &i = in.norm;
    extents.add(at[0], rows * 4 * i.D, 4, false);
    extents.add(at[1], 4 * i.D, 4, false);
    if (h.mode == 1)
      extents.add(at[2], 4 * i.D, 4, false);
    extents.add(at[3], rows * 4 * i.D, 4, true);
    break;
  }
  case PMPD_NPU_ROPE: {
    const pmpd_npu_rope &i = in.rope;
    uint64_t row = 4 * 8 * i.hd8 * i.heads;
    extents.add(at[0], strided(i.xstride64, row), 4, false);
    extents.add(at[1], rows * 8 * i.n, 4, false);
    extents.add(at[2], strided(i.ostride64, row), 4, true);
    break;
  }
  case PMPD_NPU_ELT: {
    const pmpd_npu_elt &i = in.elt;
    bool binary = readsB(h.mode);
    uint64_t n = i.n;
    extents.add(at[0],
                strided(i.astride64, h.mode == PMPD_NPU_CVT32 ? 2 * n : 4 * n),
                4, false);
    if (binary)
      extents.add(at[1],
                  strided(h.flags & PMPD_NPU_F_BCAST ? 0 : i.astride64, 4 * n),
                  4, false);
    extents.add(at[2],
                strided(i.ostride64, h.mode == PMPD_NPU_CVT16 ? 2 * n : 4 * n),
                4, true);
    break;
  }
  case PMPD_NPU_RED:
    extents.add(at[0], 4 * static_cast<uint64_t>(in.red.n), 4, false);
    extents.add(at[1], 4, 4, true);
    break;
  case PMPD_NPU_KVQ: {
    const pmpd_npu_kvq &i = in.kvq;
    uint64_t elements = static_cast<uint64_t>(i.heads) * i.hd;
    extents.add(at[0], strided(i.xstride64, 4 * elements), 4, false);
    extents.add(at[1], rows * i.heads * pmpd_npu_kv_token_bytes(h.mode, i.hd),
                4, true);
    if (h.mode != PMPD_NPU_KV_F16)
      extents.add(at[2], rows * i.heads * 2, 2, true);
    break;
  }
  default:
    break;
  }
  return extents;
}
