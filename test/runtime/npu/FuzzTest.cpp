// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// No file crashes the loader or keeps the machine running: damaged programs
// with checksums that match, and programs of random instructions.
#include "runtime/targets/npu/Isa.h"
#include "runtime/targets/npu/Text.h"
#include "test/runtime/Fixture.h"
#include "test/runtime/npu/FuzzInput.h"
#include "test/runtime/npu/ProgramBuilder.h"

#include <random>

using namespace pmpd::npu;
using namespace pmpd::test;

namespace {

ProgramBuilder seedProgram() {
  ProgramBuilder builder;
  builder.constants.resize(256, 3);
  builder.budget = 500;
  builder.add("nop post=0\n"
              "salu.mov rd=r10 imm=2\n"
              "loop creg=r10 body=7\n"
              "ld mode=qw wait=0 post=1 breg=r1 len0=512 cnt1=2 dstride64=8 "
              "lstride=512\n"
              "ld mode=qa post=2 breg=r5 local=0x1000 len0=256 cnt1=1\n"
              "qact.a16 group=64 wait=2 post=3 x=0x1000 q=0x1200 s=0x1300 "
              "K=64\n"
              "bpmv.a16 bits=2 group=64 wait=1,3 post=0,4 w=0 x=0x1200 "
              "sx=0x1300 sw=0x1400 out=0x1500 N=64 K=64\n"
              "att.first.last mode=f16 wait=4 post=5 rows=r7 q=0x1500 "
              "kv=0x2000 state=0x6000 out=0x7000 hd8=2 nq=2 heads=2 treg=r10\n"
              "norm mode=rms wait=5 post=6 x=0x7000 w=0x7000 out=0x7800 D=32 "
              "eps=0x1p-20\n"
              "st mode=qs wait=6 breg=r2 local=0x7800 len0=128 cnt1=1\n"
              "endl\n"
              "red mode=argmax x=0x7800 out=0x7900 n=32 rd=r11");
  return builder;
}

} // namespace

TEST(NpuFuzzTest, the_seed_runs) {
  EXPECT_EQ(runFuzzInput(seedProgram().bytes()), FuzzResult::Ran)
      << pmpd_last_error();
}

TEST(NpuFuzzTest, damaged_programs_are_refused_or_end) {
  const std::vector<uint8_t> seed = seedProgram().bytes();
  std::mt19937 random(31);
  int counts[3] = {};
  for (int i = 0; i < 6000; ++i) {
    std::vector<uint8_t> file = seed;
    for (unsigned j = 0; j < 1 + random() % 4; ++j) {
      size_t at = random() % file.size();
      file[at] = random() % 2 ? static_cast<uint8_t>(random())
                              : file[at] ^ (1 << random() % 8);
    }
    if (random() % 16 == 0)
      file.resize(random() % file.size());
    reseal(file);
    ++counts[static_cast<int>(runFuzzInput(file))];
  }
  for (int count : counts)
    EXPECT_GT(count, 100);
}

TEST(NpuFuzzTest, random_programs_are_refused_or_end) {
  std::mt19937 random(32);
  const std::vector<OpInfo> &ops = allOps();
  int counts[3] = {};
  for (int i = 0; i < 10000; ++i) {
    ProgramBuilder builder;
    builder.budget = 500;
    for (unsigned j = 0; j < 1 + random() % 8; ++j) {
      pmpd_npu_instruction in = {};
      const OpInfo &info = ops[random() % ops.size()];
      in.h = {info.op,
              static_cast<uint8_t>(random() & info.flags),
              PMPD_NPU_NO_SEMAPHORE,
              PMPD_NPU_NO_SEMAPHORE,
              static_cast<uint8_t>(random() % 64),
              PMPD_NPU_NO_SEMAPHORE,
              static_cast<uint8_t>(random() % (info.maxMode + 1)),
              0};
      if (info.hasGroup)
        in.h.mode |= random() % 8 << 4;
      for (const Field &field : info.fields) {
        // Mostly small, so that some programs are sound.
        uint64_t value = random() % (random() % 8 ? 64 : 1u << 20);
        if (field.kind == FieldKind::Register)
          value = random() % PMPD_NPU_REGISTERS;
        if (field.kind == FieldKind::Float)
          value = 0x3F800000;
        if (field.kind == FieldKind::Local)
          value = value * 64 % 65536;
        setField(&in, field, value);
      }
      if (info.op == PMPD_NPU_LOOP || info.op == PMPD_NPU_ENDL)
        in.loop.level = in.loop.body = 0;
      builder.add(in);
      if (info.op == PMPD_NPU_LOOP)
        builder.add("endl");
    }
    ++counts[static_cast<int>(runFuzzInput(builder.bytes()))];
  }
  for (int count : counts)
    EXPECT_GT(count, 100);
}
