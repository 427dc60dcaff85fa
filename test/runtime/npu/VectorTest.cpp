// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "pmpd/npu_layout.h"
#include "runtime/targets/npu/Float.h"
#include "test/runtime/npu/Reference.h"
#include "test/runtime/npu/Scratch.h"

#include <cmath>
#include <gtest/gtest.h>

using namespace pmpd::test;

TEST(NpuVectorTest, qact_matches_the_reference) {
  unsigned seed = 0;
  for (uint8_t flags : {0, int{PMPD_NPU_F_A16}})
    for (unsigned log = 0; log <= 4; ++log)
      for (unsigned rows : {1, 3}) {
        Scratch scratch(++seed);
        unsigned group = 32u << log, k = 2 * group;
        pmpd_npu_instruction in = {};
        in.qact.h.op = PMPD_NPU_QACT;
        in.qact.h.flags = flags;
        in.qact.h.mode = static_cast<uint8_t>(log << 4);
        in.qact.K = static_cast<uint16_t>(k);
        in.qact.xstride64 = static_cast<uint16_t>(k / 16 + 1);
        in.qact.x = scratch.floats(rows * in.qact.xstride64 * 16, 3);
        in.qact.q = scratch.bytes(rows * k * 2);
        in.qact.s = scratch.bytes(rows * 2 * 8);
        // A group of zeros, one below the threshold, ties of rounding.
        if (seed % 3 == 0)
          for (unsigned j = 0; j < group; ++j)
            scratch.put(in.qact.x + 4 * j, seed % 2 ? 0.0f : 1e-31f);
        else
          for (unsigned j = 0; j < group; ++j)
            scratch.put(in.qact.x + 4 * j,
                        j ? 0.5f + static_cast<float>(j % 100) : 127.0f);
        expectSame(in, scratch, rows);
        scratch.put(in.qact.x + 4, NAN);
        expectTrap(in, scratch, "not finite");
        scratch.put(in.qact.x + 4, -INFINITY);
        expectTrap(in, scratch, "not finite");
      }
}

TEST(NpuVectorTest, att_matches_the_reference) {
  unsigned seed = 100;
  for (uint8_t format : {0, 1, 2})
    for (uint8_t flags = 0; flags < 4; ++flags)
      for (int64_t visible : {-65536, -1, 0, 1, 37, 63, 64, 1000}) {
        Scratch scratch(++seed);
        unsigned rows = 3, heads = 4, nq = 2, hd = 24;
        pmpd_npu_instruction in = {};
        in.att.h.op = PMPD_NPU_ATT;
        in.att.h.flags = flags;
        in.att.h.mode = format;
        in.att.hd8 = static_cast<uint8_t>(hd / 8);
        in.att.nq = static_cast<uint8_t>(nq);
        in.att.heads = static_cast<uint8_t>(heads);
        in.att.scale = 0.2041f;
        in.att.q = scratch.floats(rows * heads * hd);
        in.att.kv = scratch.halves(pmpd_npu_kv_tile_bytes(format, hd) / 2);
        if (format != PMPD_NPU_KV_F16)
          for (unsigned i = 0; i < pmpd_npu_kv_part_offset(format, hd, 2); ++i)
            scratch.put(in.att.kv + i, static_cast<uint8_t>(scratch.random()));
        in.att.state = scratch.floats(rows * nq * (16 + hd));
        in.att.out = scratch.floats(rows * heads * hd);
        for (unsigned i = 0; i < rows * nq; ++i) {
          uint32_t state = in.att.state + i * (64 + 4 * hd);
          bool fresh = i % 3 == 0;
          scratch.put(state, fresh ? -INFINITY : 0.3f);
          scratch.put(state + 4, fresh ? 0.0f : 2.5f);
        }
        if (!flags && visible + rows <= 0)
          continue; // does nothing
        expectSame(in, scratch, rows, visible);
      }
}

TEST(NpuVectorTest, att_traps_on_nan) {
  Scratch scratch(9);
  pmpd_npu_instruction in = {};
  in.att.h.op = PMPD_NPU_ATT;
  in.att.h.flags = PMPD_NPU_F_FIRST;
  in.att.hd8 = in.att.nq = in.att.heads = 1;
  in.att.scale = 1;
  in.att.q = scratch.floats(8);
  in.att.kv = scratch.halves(2 * 64 * 8);
  in.att.state = scratch.bytes(64 + 32);
  scratch.put(in.att.q, NAN);
  expectTrap(in, scratch, "not a number", 1);
}

TEST(NpuVectorTest, norm_matches_the_reference) {
  unsigned seed = 200;
  for (uint8_t mode : {0, 1})
    for (unsigned d : {1, 63, 64, 65, 200, 1000})
      for (unsigned rows : {1, 2}) {
        Scratch scratch(++seed);
        pmpd_npu_instruction in = {};
        in.norm.h.op = PMPD_NPU_NORM;
        in.norm.h.mode = mode;
        in.norm.D = static_cast<uint16_t>(d);
        in.norm.eps = 1e-5f;
        in.norm.x = scratch.floats(rows * d, 4);
        in.norm.w = scratch.floats(d);
        if (mode)
          in.norm.b = scratch.floats(d);
        in.norm.out = scratch.floats(rows * d);
        expectSame(in, scratch, rows);
      }
}

TEST(NpuVectorTest, rope_matches_the_reference) {
  unsigned seed = 300;
  for (uint8_t mode : {0, 1})
    for (unsigned n : {0, 1, 8, 16})
      for (bool inPlace : {false, true}) {
        Scratch scratch(++seed);
        unsigned rows = 3, heads = 2;
        pmpd_npu_instruction in = {};
        in.rope.h.op = PMPD_NPU_ROPE;
        in.rope.h.mode = mode;
        in.rope.heads = static_cast<uint8_t>(heads);
        in.rope.hd8 = 4;
        in.rope.n = static_cast<uint16_t>(n);
        in.rope.xstride64 = in.rope.ostride64 = 5;
        in.rope.x = scratch.floats(rows * 80);
        in.rope.cs = scratch.floats(rows * 2 * n);
        in.rope.out = inPlace ? in.rope.x : scratch.floats(rows * 80);
        if (inPlace && n == 0)
          continue; // does nothing
        expectSame(in, scratch, rows);
      }
}

TEST(NpuVectorTest, elt_matches_the_reference) {
  unsigned seed = 400;
  for (uint8_t fn = 0; fn <= PMPD_NPU_CVT32; ++fn)
    for (unsigned n : {1, 17, 64, 333})
      for (uint8_t flags : {0, int{PMPD_NPU_F_BCAST}}) {
        Scratch scratch(++seed);
        unsigned rows = 2, stride = (4 * n + 63) / 64;
        pmpd_npu_instruction in = {};
        in.elt.h.op = PMPD_NPU_ELT;
        in.elt.h.mode = fn;
        in.elt.h.flags = flags;
        in.elt.n = n;
        in.elt.imm = 1.7f;
        in.elt.astride64 = in.elt.ostride64 = static_cast<uint16_t>(stride);
        in.elt.a = fn == PMPD_NPU_CVT32 ? scratch.halves(rows * stride * 32)
                                        : scratch.floats(rows * stride * 16, 9);
        in.elt.b = scratch.floats(rows * stride * 16);
        in.elt.out = scratch.bytes(rows * stride * 64);
        // What no distribution gives: both zeros, the ends of the range.
        if (fn != PMPD_NPU_CVT32 && n >= 17) {
          const float special[] = {0.0f,   -0.0f,    1e-45f,   -200.0f,
                                   200.0f, 65519.0f, 65520.0f, -6e-8f,
                                   88.5f,  -87.5f,   3e38f};
          for (unsigned i = 0; i < std::size(special); ++i)
            scratch.put(in.elt.a + 4 * i, special[i]);
        }
        expectSame(in, scratch, rows);
      }
}

TEST(NpuVectorTest, elt_writes_over_its_operands) {
  for (uint8_t fn : {PMPD_NPU_ADDF, PMPD_NPU_SILU_MUL, PMPD_NPU_CVT16}) {
    Scratch scratch(fn);
    pmpd_npu_instruction in = {};
    in.elt.h.op = PMPD_NPU_ELT;
    in.elt.h.mode = fn;
    in.elt.n = 100;
    in.elt.a = scratch.floats(100);
    in.elt.b = scratch.floats(100);
    in.elt.out = in.elt.a;
    expectSame(in, scratch);
    if (fn != PMPD_NPU_CVT16) {
      in.elt.out = in.elt.b;
      expectSame(in, scratch);
    }
  }
}

TEST(NpuVectorTest, red_matches_the_reference) {
  for (uint8_t mode : {0, 1})
    for (unsigned n : {1, 2, 63, 500}) {
      Scratch scratch(n + mode);
      pmpd_npu_instruction in = {};
      in.red.h.op = PMPD_NPU_RED;
      in.red.h.mode = mode;
      in.red.n = n;
      in.red.rd = mode ? 0 : 12;
      in.red.x = scratch.floats(n);
      in.red.out = scratch.bytes(4);
      if (n > 10) { // two equal maxima: the lower index wins
        scratch.put(in.red.x + 4 * 9, 50.0f);
        scratch.put(in.red.x + 4 * (n - 1), 50.0f);
      }
      expectSame(in, scratch);
      scratch.put(in.red.x + 4 * (n - 1), NAN);
      expectTrap(in, scratch, "not a number");
    }
}

TEST(NpuVectorTest, kvq_matches_the_reference) {
  unsigned seed = 500;
  for (uint8_t format : {0, 1, 2})
    for (unsigned hd : {2, 24, 64})
      for (unsigned rows : {1, 3}) {
        Scratch scratch(++seed);
        unsigned heads = 3;
        pmpd_npu_instruction in = {};
        in.kvq.h.op = PMPD_NPU_KVQ;
        in.kvq.h.mode = format;
        in.kvq.heads = static_cast<uint16_t>(heads);
        in.kvq.hd = static_cast<uint16_t>(hd);
        in.kvq.xstride64 = static_cast<uint16_t>((4 * heads * hd + 63) / 64);
        in.kvq.x = scratch.floats(rows * in.kvq.xstride64 * 16, 2);
        in.kvq.out = scratch.bytes(rows * heads * hd * 2);
        if (format != PMPD_NPU_KV_F16)
          in.kvq.scl = scratch.bytes(rows * heads * 2);
        for (unsigned i = 0; i < hd; ++i) // one head of zeros
          scratch.put(in.kvq.x + 4 * i, 0.0f);
        expectSame(in, scratch, rows);
        scratch.put(in.kvq.x, 1e7f);
        expectTrap(in, scratch, "overflows fp16");
        scratch.put(in.kvq.x, NAN);
        expectTrap(in, scratch, "not finite");
      }
}

TEST(NpuFloatTest, every_half_converts_exactly) {
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    auto half = static_cast<uint16_t>(bits);
    float value = referenceHalfToFloat(half);
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(pmpd::npu::halfToFloat(half)));
      continue;
    }
    ASSERT_EQ(pmpd::npu::bitsOf(pmpd::npu::halfToFloat(half)),
              pmpd::npu::bitsOf(value))
        << bits;
    ASSERT_EQ(pmpd::npu::floatToHalf(value), half);
    // Halfway to the next one, and just off it.
    if ((half & 0x7C00) == 0x7C00 || half == 0x7BFF || half == 0xFBFF)
      continue;
    float tie =
        (value + referenceHalfToFloat(static_cast<uint16_t>(half + 1))) / 2;
    for (float x :
         {tie, std::nextafter(tie, 0.0f), std::nextafter(tie, 2 * tie)})
      ASSERT_EQ(pmpd::npu::floatToHalf(x), referenceFloatToHalf(x)) << x;
  }
}

TEST(NpuFloatTest, exp_is_as_accurate_as_documented) {
  double worst = 0;
  for (float x = -87.0f; x <= 88.0f; x += 0.00137f) {
    float y = pmpd::npu::machineExp(x);
    ASSERT_EQ(y, referenceExp(x)) << x;
    worst = std::max(worst, std::fabs(y / std::exp(double(x)) - 1));
  }
  EXPECT_LT(worst, 2.5e-7);
  EXPECT_EQ(pmpd::npu::machineExp(-87.01f), 0.0f);
  EXPECT_EQ(pmpd::npu::machineExp(1000.0f), pmpd::npu::machineExp(88.0f));
  EXPECT_EQ(pmpd::npu::machineExp(NAN), 0.0f);
}

TEST(NpuFloatTest, erf_is_as_accurate_as_documented) {
  double worst = 0;
  for (float x = -5; x <= 5; x += 0.0007f)
    worst = std::max(worst,
                     std::fabs(pmpd::npu::machineErf(x) - std::erf(double(x))));
  EXPECT_LT(worst, 6e-7);
}
