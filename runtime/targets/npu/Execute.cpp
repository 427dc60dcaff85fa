// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/targets/npu/Execute.h"

#include <cstring>

using namespace pmpd::npu;

static void executeDma(const Work &work, const Units &units) {
  const pmpd_npu_dma &dma = work.instruction->dma;
  if (work.dmaBytes() == 0)
    return;
  bool store = dma.h.op == PMPD_NPU_ST;
  uint8_t *dram;
  units.memory.find(work.dram, work.length, work.count,
                    static_cast<uint64_t>(dma.dstride64) * 64, store, dram);
  uint8_t *local = units.local + work.local[0];
  for (uint64_t i = 0; i < work.count; ++i) {
    uint8_t *far = dram + i * dma.dstride64 * 64;
    uint8_t *near = local + i * dma.lstride;
    std::memmove(store ? far : near, store ? near : far, work.length);
  }
}

const char *pmpd::npu::execute(const Work &work, Units &units) {
  if (work.rows == 0)
    return nullptr;
  switch (work.instruction->h.op) {
  case PMPD_NPU_LD:
  case PMPD_NPU_ST:
    executeDma(work, units);
    return nullptr;
  case PMPD_NPU_QACT:
    return executeQuantize(work, units);
  case PMPD_NPU_BPMV:
  case PMPD_NPU_MMQ:
    executeBitPlanes(work, units);
    return nullptr;
  case PMPD_NPU_MMH:
    executeHalf(work, units);
    return nullptr;
  case PMPD_NPU_ATT:
    return executeAttention(work, units);
  case PMPD_NPU_NORM:
    executeNorm(work, units);
    return nullptr;
  case PMPD_NPU_ROPE:
    executeRope(work, units);
    return nullptr;
  case PMPD_NPU_ELT:
    executeElementwise(work, units);
    return nullptr;
  case PMPD_NPU_RED:
    return executeReduce(work, units);
  case PMPD_NPU_KVQ:
    return executeKvQuantize(work, units);
  default:
    return nullptr;
  }
}
