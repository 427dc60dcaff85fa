// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/simt/Calls.h"
#include "lib/Quant/Half.h"
#include "test/simt/Block.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <numeric>

using namespace pmpd::simt;

namespace {

constexpr uint32_t allLanes = 0xFFFFFFFF;

template <typename Source>
const char *shuffle(const Lanes &lanes, Source source) {
  // in: member mask, value, lane operand, clamp (mask and segment)
  for (uint32_t lane = 0; lane < warpSize; ++lane) {
    if (lanes.in[lane][0] != allLanes)
      return "expected a shuffle of all lanes";
    uint32_t from = source(lane, lanes.in[lane][2], lanes.in[lane][3]);
    *lanes.out[lane] = lanes.in[from][1];
  }
  return nullptr;
}

const char *shuffleXor(Block &, uint32_t, const Lanes &lanes) {
  return shuffle(lanes, [](uint32_t lane, uint32_t mask, uint32_t) {
    return (lane ^ mask) % warpSize;
  });
}

const char *shuffleIndex(Block &, uint32_t, const Lanes &lanes) {
  return shuffle(lanes, [](uint32_t, uint32_t source, uint32_t) {
    return source % warpSize;
  });
}

template <typename Combine>
const char *reduce(const Lanes &lanes, Combine combine) {
  // in: value, member mask
  uint32_t result = lanes.in[0][0];
  for (uint32_t lane = 0; lane < warpSize; ++lane) {
    if (lanes.in[lane][1] != allLanes)
      return "expected a reduction over all lanes";
    if (lane > 0)
      result = combine(result, lanes.in[lane][0]);
  }
  for (uint32_t lane = 0; lane < warpSize; ++lane)
    *lanes.out[lane] = result;
  return nullptr;
}

const char *reduceAdd(Block &, uint32_t, const Lanes &lanes) {
  return reduce(lanes, [](uint32_t x, uint32_t y) { return x + y; });
}

const char *reduceMin(Block &, uint32_t, const Lanes &lanes) {
  return reduce(lanes, [](uint32_t x, uint32_t y) { return std::min(x, y); });
}

const char *warpBarrier(Block &block, uint32_t warp, const Lanes &lanes) {
  for (uint32_t lane = 0; lane < warpSize; ++lane)
    if (lanes.in[lane][0] != allLanes)
      return "expected a barrier of all lanes";
  block.warpBarrier(warp);
  return nullptr;
}

/// D[16, 8] = A[16, 32] of u8 * B[32, 8] of s8 + C. Lane (g, t) = (l / 4, l %
/// 4) has, of A, the columns 4t of rows g, g + 8 and then 16 + 4t; of B, the
/// rows 4t and 16 + 4t of column g; of C and D, columns 2t and 2t + 1 of row g
/// and then of row g + 8.
const char *mma16x8x32(Block &, uint32_t, const Lanes &lanes) {
  uint8_t a[16][32];
  int8_t b[8][32];
  for (uint32_t lane = 0; lane < warpSize; ++lane) {
    uint32_t g = lane / 4, t = lane % 4;
    const uint32_t *in = lanes.in[lane];
    for (uint32_t i = 0; i < 4; ++i)
      std::memcpy(&a[g + i % 2 * 8][4 * t + i / 2 * 16], &in[i], 4);
    for (uint32_t i = 0; i < 2; ++i)
      std::memcpy(&b[g][4 * t + i * 16], &in[4 + i], 4);
  }
  for (uint32_t lane = 0; lane < warpSize; ++lane)
    for (uint32_t i = 0; i < 4; ++i) {
      const uint8_t *row = a[lane / 4 + i / 2 * 8];
      const int8_t *col = b[lane % 4 * 2 + i % 2];
      int32_t sum = lanes.in[lane][6 + i];
      for (uint32_t k = 0; k < 32; ++k)
        sum += row[k] * col[k];
      lanes.out[lane][i] = sum;
    }
  return nullptr;
}

/// The f32 next to `value` towards 0.
float cutOff(double value) {
  float nearest = static_cast<float>(value);
  return std::abs(nearest) > std::abs(value) ? std::nextafter(nearest, 0.0f)
                                             : nearest;
}

/// D[16, 8] = A[16, 16] * B[16, 8] of f16 + C of f32. A word has two columns of
/// A or two rows of B, 2t and 2t + 1 and then 8 on; rows of A, columns of B,
/// and C and D are those of mma16x8x32. What the sum is rounded to PTX leaves
/// open; here 8 products at a time are added and cut off, as GPUs have been
/// seen to.
const char *mma16x8x16(Block &, uint32_t, const Lanes &lanes) {
  float a[16][16], b[8][16];
  auto unpack = [](uint32_t word, float *to) {
    for (uint32_t i = 0; i < 2; ++i)
      to[i] = pmpd::halfToFloat(static_cast<uint16_t>(word >> 16 * i));
  };
  for (uint32_t lane = 0; lane < warpSize; ++lane) {
    uint32_t g = lane / 4, t = lane % 4;
    const uint32_t *in = lanes.in[lane];
    for (uint32_t i = 0; i < 4; ++i)
      unpack(in[i], &a[g + i % 2 * 8][2 * t + i / 2 * 8]);
    for (uint32_t i = 0; i < 2; ++i)
      unpack(in[4 + i], &b[g][2 * t + i * 8]);
  }
  for (uint32_t lane = 0; lane < warpSize; ++lane)
    for (uint32_t i = 0; i < 4; ++i) {
      const float *row = a[lane / 4 + i / 2 * 8];
      const float *col = b[lane % 4 * 2 + i % 2];
      float sum;
      std::memcpy(&sum, &lanes.in[lane][6 + i], sizeof(sum));
      for (uint32_t k = 0; k < 16; k += 8)
        sum = cutOff(std::inner_product(
            row + k, row + k + 8, col + k, static_cast<double>(sum),
            std::plus<double>(), std::multiplies<double>()));
      std::memcpy(&lanes.out[lane][i], &sum, sizeof(sum));
    }
  return nullptr;
}

/// Four matrices of 8 rows of 16 bytes; lane 8m + r has the address of row r of
/// matrix m. Lane (g, t) gets the halves 2t and 2t + 1 of row g of each, or of
/// column g.
template <bool transposed>
const char *loadMatrices(Block &, uint32_t, const Lanes &lanes) {
  for (uint32_t lane = 0; lane < warpSize; ++lane)
    for (uint32_t matrix = 0; matrix < 4; ++matrix)
      for (uint32_t i = 0; i < 2; ++i) {
        uint32_t row = lane / 4, col = lane % 4 * 2 + i;
        if (transposed)
          std::swap(row, col);
        const uint8_t *address;
        std::memcpy(&address, lanes.in[matrix * 8 + row], sizeof(address));
        std::memcpy(reinterpret_cast<uint8_t *>(&lanes.out[lane][matrix]) +
                        2 * i,
                    address + 2 * col, 2);
      }
  return nullptr;
}

void loadMatrices(const uint32_t *in, uint32_t *out, WarpOperation load) {
  Block &block = Block::current();
  uintptr_t address;
  std::memcpy(&address, in, sizeof(address));
  if (address % 16)
    block.fail("a row of a matrix that is not aligned to 16 bytes");
  block.accessShared(reinterpret_cast<void *>(address), 16, Access::Read);
  block.wait(load, in, out);
}

void copyGroup(Thread &thread) {
  for (const AsyncCopy &copy : thread.committed.front())
    std::memcpy(copy.to, copy.from, copy.bytes);
  thread.committed.pop_front();
}

/// The bytes arrive when they are waited for: a read before that finds what
/// was there.
void asyncCopy(void *to, const void *from, uint32_t bytes) {
  Block &block = Block::current();
  block.accessShared(to, bytes, Access::Write);
  if (reinterpret_cast<uintptr_t>(to) % bytes ||
      reinterpret_cast<uintptr_t>(from) % bytes)
    block.fail("an asynchronous copy of " + std::to_string(bytes) +
               " bytes that is not aligned to them");
  block.thread().copies.push_back({to, from, bytes});
}

} // namespace

extern "C" {

uint32_t simt_thread() { return Block::current().thread().index; }
uint32_t simt_lane() { return simt_thread() % warpSize; }
uint32_t simt_block() { return Block::current().index(); }
uint32_t simt_threads() { return Block::current().size(); }

void simt_barrier(uint32_t barrier) { Block::current().waitAtBarrier(barrier); }
void simt_warp_barrier(const uint32_t *in, uint32_t *out) {
  Block::current().wait(warpBarrier, in, out);
}
void simt_shuffle_xor(const uint32_t *in, uint32_t *out) {
  Block::current().wait(shuffleXor, in, out);
}
void simt_shuffle_index(const uint32_t *in, uint32_t *out) {
  Block::current().wait(shuffleIndex, in, out);
}
void simt_reduce_add(const uint32_t *in, uint32_t *out) {
  Block::current().wait(reduceAdd, in, out);
}
void simt_reduce_min(const uint32_t *in, uint32_t *out) {
  Block::current().wait(reduceMin, in, out);
}
void simt_mma_m16n8k32_u8_s8(const uint32_t *in, uint32_t *out) {
  Block::current().wait(mma16x8x32, in, out);
}
void simt_mma_m16n8k16_f16_f32(const uint32_t *in, uint32_t *out) {
  Block::current().wait(mma16x8x16, in, out);
}
void simt_ldmatrix_x4(const uint32_t *in, uint32_t *out) {
  loadMatrices(in, out, loadMatrices<false>);
}
void simt_ldmatrix_x4_trans(const uint32_t *in, uint32_t *out) {
  loadMatrices(in, out, loadMatrices<true>);
}

void simt_copy_4(void *to, const void *from) { asyncCopy(to, from, 4); }
void simt_copy_8(void *to, const void *from) { asyncCopy(to, from, 8); }
void simt_copy_16(void *to, const void *from) { asyncCopy(to, from, 16); }
void simt_copy_commit() {
  Thread &thread = Block::current().thread();
  thread.committed.push_back(std::move(thread.copies));
  thread.copies.clear();
}
void simt_copy_wait(uint32_t pending) {
  Thread &thread = Block::current().thread();
  while (thread.committed.size() > pending)
    copyGroup(thread);
}
void simt_copy_wait_all() {
  simt_copy_commit();
  simt_copy_wait(0);
}
void simt_nothing() {}

void simt_access_shared(const void *address, uint32_t bytes, uint32_t write) {
  Block::current().accessShared(address, bytes,
                                write ? Access::Write : Access::Read);
}
void simt_misaligned(uint32_t alignment) {
  Block::current().fail("an address that is not aligned to " +
                        std::to_string(alignment) + " bytes");
}

} // extern "C"

namespace pmpd::simt {

const Call *calls(uint32_t &count) {
#define PMPD_CALL(intrinsic, symbol, form)                                     \
  { intrinsic, #symbol, reinterpret_cast<void *>(symbol), Form::form }
  static const Call all[] = {
      PMPD_CALL("llvm.nvvm.read.ptx.sreg.tid.x", simt_thread, Plain),
      PMPD_CALL("llvm.nvvm.read.ptx.sreg.laneid", simt_lane, Plain),
      PMPD_CALL("llvm.nvvm.read.ptx.sreg.ctaid.x", simt_block, Plain),
      PMPD_CALL("llvm.nvvm.read.ptx.sreg.ntid.x", simt_threads, Plain),
      PMPD_CALL("llvm.nvvm.barrier.cta.sync.aligned.all", simt_barrier, Plain),
      PMPD_CALL("llvm.nvvm.bar.warp.sync", simt_warp_barrier, Packed),
      PMPD_CALL("llvm.nvvm.shfl.sync.bfly.i32", simt_shuffle_xor, Packed),
      PMPD_CALL("llvm.nvvm.shfl.sync.bfly.f32", simt_shuffle_xor, Packed),
      PMPD_CALL("llvm.nvvm.shfl.sync.idx.i32", simt_shuffle_index, Packed),
      PMPD_CALL("llvm.nvvm.shfl.sync.idx.f32", simt_shuffle_index, Packed),
      PMPD_CALL("llvm.nvvm.redux.sync.add", simt_reduce_add, Packed),
      PMPD_CALL("llvm.nvvm.redux.sync.umin", simt_reduce_min, Packed),
      PMPD_CALL("llvm.nvvm.mma.m16n8k32.row.col.u8.s8", simt_mma_m16n8k32_u8_s8,
                Packed),
      PMPD_CALL("llvm.nvvm.mma.m16n8k16.row.col.f32.f32",
                simt_mma_m16n8k16_f16_f32, Packed),
      PMPD_CALL("llvm.nvvm.ldmatrix.sync.aligned.m8n8.x4.b16.p3",
                simt_ldmatrix_x4, Packed),
      PMPD_CALL("llvm.nvvm.ldmatrix.sync.aligned.m8n8.x4.trans.b16.p3",
                simt_ldmatrix_x4_trans, Packed),
      PMPD_CALL("llvm.nvvm.cp.async.ca.shared.global.4", simt_copy_4, Plain),
      PMPD_CALL("llvm.nvvm.cp.async.ca.shared.global.8", simt_copy_8, Plain),
      PMPD_CALL("llvm.nvvm.cp.async.ca.shared.global.16", simt_copy_16, Plain),
      PMPD_CALL("llvm.nvvm.cp.async.cg.shared.global.16", simt_copy_16, Plain),
      PMPD_CALL("llvm.nvvm.cp.async.commit.group", simt_copy_commit, Plain),
      PMPD_CALL("llvm.nvvm.cp.async.wait.group", simt_copy_wait, Plain),
      PMPD_CALL("llvm.nvvm.cp.async.wait.all", simt_copy_wait_all, Plain),
      PMPD_CALL("llvm.nvvm.griddepcontrol.wait", simt_nothing, Plain),
      PMPD_CALL("llvm.nvvm.griddepcontrol.launch.dependents", simt_nothing,
                Plain),
      PMPD_CALL(nullptr, simt_access_shared, Plain),
      PMPD_CALL(nullptr, simt_misaligned, Plain)};
#undef PMPD_CALL
  count = sizeof(all) / sizeof(all[0]);
  return all;
}

} // namespace pmpd::simt
