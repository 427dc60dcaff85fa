// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "pmpd/npu_layout.h"
#include "test/runtime/npu/Reference.h"
#include "test/runtime/npu/Scratch.h"

#include <array>
#include <cstring>
#include <gtest/gtest.h>

using namespace pmpd::test;

namespace {

struct Shape {
  unsigned bits, group, n, k;
  uint8_t flags;
};

uint8_t modeOf(const Shape &shape) {
  uint8_t log = 0;
  while (32u << log < shape.group)
    ++log;
  return static_cast<uint8_t>(shape.bits | log << 4);
}

/// A tile of random planes and metadata; the address of its planes.
uint32_t addTile(Scratch &scratch, const Shape &shape) {
  uint32_t planes =
      scratch.bytes(pmpd_npu_planes_bytes(shape.n, shape.k, shape.bits));
  scratch.halves(pmpd_npu_metadata_bytes(shape.n, shape.k, shape.group,
                                         shape.flags, shape.bits) /
                 2);
  return planes;
}

pmpd_npu_instruction bpmv(Scratch &scratch, const Shape &shape) {
  pmpd_npu_instruction in = {};
  bool wide = shape.flags & PMPD_NPU_F_A16;
  in.bpmv.h.op = PMPD_NPU_BPMV;
  in.bpmv.h.flags = shape.flags;
  in.bpmv.h.mode = modeOf(shape);
  in.bpmv.N = static_cast<uint16_t>(shape.n);
  in.bpmv.K = static_cast<uint16_t>(shape.k);
  in.bpmv.w = addTile(scratch, shape);
  in.bpmv.sw = in.bpmv.w + static_cast<uint32_t>(pmpd_npu_planes_bytes(
                               shape.n, shape.k, shape.bits));
  in.bpmv.x = scratch.codes(shape.k, wide);
  in.bpmv.sx = scratch.groupScales(in.bpmv.x, shape.k, shape.group, wide);
  in.bpmv.out = scratch.floats(shape.n);
  return in;
}

pmpd_npu_instruction mmq(Scratch &scratch, const Shape &shape, unsigned rows,
                         unsigned spareCols) {
  pmpd_npu_instruction in = {};
  bool wide = shape.flags & PMPD_NPU_F_A16;
  in.mmq.h.op = PMPD_NPU_MMQ;
  in.mmq.h.flags = shape.flags;
  in.mmq.h.mode = modeOf(shape);
  in.mmq.N = static_cast<uint16_t>(shape.n);
  in.mmq.K = static_cast<uint16_t>(shape.k);
  in.mmq.xcols32 = static_cast<uint16_t>((shape.k + spareCols) / 32);
  in.mmq.ostride64 = static_cast<uint16_t>((4 * shape.n + 63) / 64 + 1);
  in.mmq.w = addTile(scratch, shape);
  size_t codes = rows * (shape.k + spareCols);
  in.mmq.x = scratch.codes(codes, wide);
  in.mmq.sx = scratch.groupScales(in.mmq.x, codes, shape.group, wide);
  in.mmq.out = scratch.floats(rows * in.mmq.ostride64 * 16);
  return in;
}

const uint8_t forms[] = {0, PMPD_NPU_F_AFFINE, PMPD_NPU_F_LUT};
const uint8_t widths[] = {0, PMPD_NPU_F_A16};

} // namespace

TEST(NpuLinearTest, bpmv_matches_the_reference) {
  unsigned seed = 0;
  for (uint8_t form : forms)
    for (uint8_t width : widths)
      for (unsigned bits = 1; bits <= 4; ++bits)
        for (auto [group, n, k] : {std::array<unsigned, 3>{32, 1, 32},
                                   {32, 70, 160},
                                   {64, 63, 128},
                                   {128, 64, 128},
                                   {128, 130, 384},
                                   {512, 65, 512}}) {
          uint8_t acc = ++seed % 2 ? PMPD_NPU_F_ACC : 0;
          Scratch scratch(seed);
          Shape shape = {bits, group, n, k,
                         static_cast<uint8_t>(form | width | acc)};
          expectSame(bpmv(scratch, shape), scratch);
        }
}

TEST(NpuLinearTest, mmq_matches_the_reference) {
  unsigned seed = 1000;
  for (uint8_t form : forms)
    for (uint8_t width : widths)
      for (unsigned bits = 1; bits <= 4; ++bits)
        for (auto [group, n, k, rows] : {std::array<unsigned, 4>{32, 5, 96, 3},
                                         {64, 64, 64, 1},
                                         {128, 70, 256, 7}}) {
          uint8_t acc = ++seed % 2 ? PMPD_NPU_F_ACC : 0;
          Scratch scratch(seed);
          Shape shape = {bits, group, n, k,
                         static_cast<uint8_t>(form | width | acc)};
          expectSame(mmq(scratch, shape, rows, seed % 3 * group), scratch,
                     rows);
        }
}

TEST(NpuLinearTest, the_largest_integer_sums_do_not_overflow) {
  // All codes and activations at their extremes: |I| is 15 * 4096 * 32767.
  Scratch scratch(7);
  Shape shape = {4, 4096, 1, 4096, PMPD_NPU_F_A16};
  pmpd_npu_instruction in = bpmv(scratch, shape);
  int32_t sum = 0;
  for (unsigned k = 0; k < shape.k; ++k) {
    scratch.put(in.bpmv.x + 2 * k, int16_t{-32767});
    sum -= 32767;
  }
  scratch.put(in.bpmv.sx, pmpd_npu_group_scale{1.0f, sum});
  for (uint32_t byte = in.bpmv.w; byte < in.bpmv.sw; ++byte)
    scratch.content[byte] = 0xFF;
  scratch.put(in.bpmv.sw, uint16_t{0x3C00}); // scale 1
  std::vector<uint8_t> after = expectSame(in, scratch);
  float y;
  std::memcpy(&y, &after[in.bpmv.out], 4);
  EXPECT_EQ(y, -15.0f * 4096 * 32767);
}

TEST(NpuLinearTest, mmq_of_one_row_is_bpmv) {
  for (uint8_t form : forms) {
    Shape shape = {3, 64, 100, 192,
                   static_cast<uint8_t>(form | PMPD_NPU_F_A16)};
    Scratch scratch(31);
    pmpd_npu_instruction vector = bpmv(scratch, shape);
    pmpd_npu_instruction matrix = {};
    matrix.mmq.h = vector.bpmv.h;
    matrix.mmq.h.op = PMPD_NPU_MMQ;
    matrix.mmq.w = vector.bpmv.w;
    matrix.mmq.x = vector.bpmv.x;
    matrix.mmq.sx = vector.bpmv.sx;
    matrix.mmq.out = vector.bpmv.out;
    matrix.mmq.N = vector.bpmv.N;
    matrix.mmq.K = vector.bpmv.K;
    matrix.mmq.xcols32 = vector.bpmv.K / 32;
    matrix.mmq.ostride64 = 8;
    EXPECT_EQ(expectSame(vector, scratch), expectSame(matrix, scratch));
  }
}

TEST(NpuLinearTest, results_do_not_depend_on_the_tiling) {
  // The planes of a block's groups are contiguous within a plane: cut them out
  // into tiles of their own, run those in any size, compare the outputs.
  for (uint8_t form : forms)
    for (unsigned bits = 2; bits <= 4; ++bits)
      for (unsigned cut : {1u, 2u, 3u}) {
        Shape whole = {bits, 64, 64, 384,
                       static_cast<uint8_t>(form | PMPD_NPU_F_A16)};
        Scratch scratch(bits * 10 + cut);
        pmpd_npu_instruction in = bpmv(scratch, whole);
        std::vector<uint8_t> at_once = expectSame(in, scratch);

        unsigned values = pmpd_npu_metadata_values(form, bits);
        for (unsigned g = 0; g < 6; g += cut) {
          unsigned groups = std::min(cut, 6 - g);
          Scratch part(1);
          Shape shape = whole;
          shape.k = groups * 64;
          pmpd_npu_instruction piece = bpmv(part, shape);
          for (unsigned p = 0; p < bits; ++p)
            std::copy_n(&scratch.content[in.bpmv.w + p * 64 * 384 / 8 +
                                         g * 64 * 64 / 8],
                        64 * shape.k / 8,
                        &part.content[piece.bpmv.w + p * 64 * shape.k / 8]);
          std::copy_n(&scratch.content[in.bpmv.sw + g * values * 128],
                      groups * values * 128, &part.content[piece.bpmv.sw]);
          std::copy_n(&scratch.content[in.bpmv.x + g * 64 * 2], shape.k * 2,
                      &part.content[piece.bpmv.x]);
          std::copy_n(&scratch.content[in.bpmv.sx + g * 8], groups * 8,
                      &part.content[piece.bpmv.sx]);
          std::copy_n(&scratch.content[in.bpmv.out], 256,
                      &part.content[piece.bpmv.out]);
          if (g)
            piece.bpmv.h.flags |= PMPD_NPU_F_ACC;
          std::vector<uint8_t> after = expectSame(piece, part);
          std::copy_n(&after[piece.bpmv.out], 256,
                      &scratch.content[in.bpmv.out]);
        }
        EXPECT_TRUE(std::equal(&scratch.content[in.bpmv.out],
                               &scratch.content[in.bpmv.out] + 256,
                               &at_once[in.bpmv.out]));
      }
}

TEST(NpuLinearTest, affine_and_plain_forms_agree_where_both_are_exact) {
  // scale * q + min = (scale / 2) c + (min + scale (2^b - 1) / 2) with the
  // code c = 2 q + 1 - 2^b; min chosen so that the second term vanishes.
  Shape shape = {3, 64, 64, 64, PMPD_NPU_F_AFFINE};
  Scratch scratch(5);
  pmpd_npu_instruction affine = bpmv(scratch, shape);
  for (unsigned r = 0; r < 64; ++r) {
    scratch.put(affine.bpmv.sw + 2 * r, uint16_t{0x4000});       // 2
    scratch.put(affine.bpmv.sw + 128 + 2 * r, uint16_t{0xC700}); // -7
  }
  auto scale = scratch.get<pmpd_npu_group_scale>(affine.bpmv.sx);
  scale.sx = 0.5f;
  scratch.put(affine.bpmv.sx, scale);
  std::vector<uint8_t> first = expectSame(affine, scratch);
  for (unsigned r = 0; r < 64; ++r)
    scratch.put(affine.bpmv.sw + 2 * r, uint16_t{0x3C00}); // 1
  affine.bpmv.h.flags = 0;
  std::vector<uint8_t> second = expectSame(affine, scratch);
  EXPECT_TRUE(std::equal(&first[affine.bpmv.out], &first[affine.bpmv.out] + 256,
                         &second[affine.bpmv.out]));
}

TEST(NpuLinearTest, mmh_matches_the_reference) {
  unsigned seed = 2000;
  for (auto [n, k, rows] : {std::array<unsigned, 3>{1, 1, 1},
                            {64, 33, 2},
                            {70, 100, 5},
                            {129, 7, 3}})
    for (uint8_t flags : {0, int{PMPD_NPU_F_ACC}}) {
      Scratch scratch(++seed);
      pmpd_npu_instruction in = {};
      in.mmh.h.op = PMPD_NPU_MMH;
      in.mmh.h.flags = flags;
      in.mmh.N = static_cast<uint16_t>(n);
      in.mmh.K = static_cast<uint16_t>(k);
      in.mmh.xstride64 = static_cast<uint16_t>((2 * k + 63) / 64);
      in.mmh.ostride64 = static_cast<uint16_t>((4 * n + 63) / 64);
      in.mmh.w = scratch.halves(pmpd_npu_half_bytes(n, k) / 2);
      in.mmh.x = scratch.halves(rows * in.mmh.xstride64 * 32);
      in.mmh.out = scratch.floats(rows * in.mmh.ostride64 * 16);
      expectSame(in, scratch, rows);
    }
}

TEST(NpuLinearTest, no_rows_do_nothing) {
  Scratch scratch(3);
  pmpd_npu_instruction in = mmq(scratch, {2, 32, 5, 32, 0}, 2, 0);
  in.mmq.h.wait0 = 0;
  in.mmq.h.post0 = 1;
  in.mmq.h.wait1 = in.mmq.h.post1 = PMPD_NPU_NO_SEMAPHORE;
  in.mmq.h.rows = 10;
  std::vector<uint8_t> after;
  ASSERT_EQ(simulate(in, 0, 0, scratch.content, after), PMPD_OK);
  EXPECT_EQ(after, scratch.content);
}
