// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/targets/npu/Verify.h"
#include "test/runtime/Fixture.h"
#include "test/runtime/npu/ProgramBuilder.h"

#include <cstring>

using namespace pmpd::npu;
using namespace pmpd::test;

namespace {

pmpd_status verifyCode(ProgramBuilder builder) {
  std::vector<uint8_t> file = builder.bytes();
  Program program;
  return Program::load("test", file.data(), file.size(), program);
}

void accepts(const char *code) {
  EXPECT_PMPD_OK(verifyCode(ProgramBuilder().add(code))) << code;
}

/// Expects that the verifier names the instruction and the reason.
void refuses(const char *where, const char *why, const char *code) {
  ProgramBuilder builder;
  builder.add(code);
  EXPECT_FAILS(PMPD_BAD_MODEL, why, verifyCode(builder));
  EXPECT_NE(std::string(pmpd_last_error()).find(where), std::string::npos)
      << pmpd_last_error();
}

/// The same, for an instruction with one byte changed.
void refusesByte(const char *why, const char *code, unsigned byte,
                 uint8_t value) {
  ProgramBuilder builder;
  builder.add(code);
  builder.code.back().bytes[byte] = value;
  EXPECT_FAILS(PMPD_BAD_MODEL, why, verifyCode(builder));
}

} // namespace

TEST(NpuVerifyTest, refuses_bad_fields) {
  refusesByte("there is no op 99", "nop", 0, 99);
  refusesByte("flags", "nop", 1, 1);
  refusesByte("semaphore below 64", "nop", 2, 64);
  refusesByte("semaphore below 64", "nop", 5, 254);
  refusesByte("mode up to 0", "evt", 6, 1);
  refusesByte("mode up to 7", "nop", 6, 8);
  refusesByte("register below 32 for its rows", "norm D=4", 7, 32);
  refusesByte("register below 32 for its rows", "nop", 7, 1);
  refusesByte("reserved byte", "nop", 31, 1);
  refusesByte("register below 32 for ra", "salu.add", 10, 32);
  refusesByte("reserved byte", "salu.add", 12, 1);
  refusesByte("function is unknown", "salu.add", 8, 12);
  refusesByte("bits 31:29", "norm D=4", 11, 0x20);
  refusesByte("eps to be finite", "norm D=4 eps=0x1p-20", 31, 0x7F);
  refusesByte("mode up to 4", "bpmv bits=4 group=32 N=1 K=32", 6, 5);
  refusesByte("mode up to 4", "bpmv bits=4 group=32 N=1 K=32", 6, 0x84);
}

TEST(NpuVerifyTest, refuses_bad_shapes) {
  refuses("instruction 0 (fence)", "unknown units", "fence value=256");
  refuses("(ld)", "a DMA queue", "ld mode=seq");
  refuses("(ld)", "not both", "ld.len.cnt mode=qw rows=r10");
  refuses("(st)", "no use for it", "st mode=qw rows=r10");
  refuses("(qact)", "multiple of the group", "qact group=64 K=32");
  refuses("(qact)", "mode up to 0", "qact bits=1 group=32 K=32");
  refuses("(bpmv)", "1 to 4 planes", "bpmv group=32 N=1 K=32");
  refuses("(bpmv)", "not both", "bpmv.lut.affine bits=1 group=32 N=1 K=32");
  refuses("(bpmv)", "multiple of the group", "bpmv bits=1 group=64 N=1 K=32");
  refuses("(mmq)", "xcols32", "mmq bits=1 group=32 N=1 K=64 xcols32=1");
  refuses("(mmq)", "xcols32", "mmq bits=1 group=64 N=1 K=64 xcols32=3");
  refuses("(att)", "nq", "att mode=f16 hd8=1 nq=2 heads=1");
  refuses("(att)", "head dimension", "att mode=f16 nq=1 heads=1");
  refuses("(norm)", "at least one", "norm mode=rms");
  refuses("(rope)", "more than a head", "rope mode=half hd8=1 n=5 heads=1");
  refuses("(red)", "at least one", "red mode=max");
  refuses("(red)", "no register", "red mode=max n=1 rd=r10");
  refuses("(kvq)", "even", "kvq mode=i4 heads=1 hd=3");
}

TEST(NpuVerifyTest, refuses_what_leaves_the_scratchpad) {
  // The program requires 65536 bytes.
  accepts("elt mode=copy n=16384");
  refuses("(elt)", "reaches to byte 65540", "elt mode=copy n=16383 out=8");
  refuses("(elt)", "more than the scratchpad",
          "elt mode=copy n=16385 a=r10+0 "
          "out=r11+0");
  accepts("ld mode=qw breg=r1 local=0xff00 len0=64 cnt1=4 lstride=64");
  refuses("(ld)", "reaches to byte 65600",
          "ld mode=qw breg=r1 local=0xff00 len0=64 cnt1=5 lstride=64");
  refuses("(bpmv)", "scratchpad",
          "bpmv bits=4 group=128 N=64 K=4096 x=0x100 sx=0x200 sw=0x300");
}

TEST(NpuVerifyTest, checks_the_structure_of_loops) {
  accepts("loop count=3 body=3\n"
          "loop level=1 count=2 body=1\n"
          "nop\n"
          "endl level=1\n"
          "endl");
  accepts("loop creg=r10\nendl");
  refuses("instruction 0 (loop)", "beyond the region", "loop count=1 body=9");
  refuses("instruction 0 (loop)", "loop level 0",
          "loop level=1 count=1\nendl level=1");
  refuses("instruction 1 (loop)", "beyond",
          "loop count=1 body=1\n"
          "loop level=1 count=1 body=1\n"
          "nop\n"
          "endl level=1\n"
          "endl");
  refuses("instruction 2 (nop)", "expected ENDL",
          "loop count=1 body=1\nnop\nnop\nendl");
  refuses("instruction 1 (endl)", "does not end", "nop\nendl");
  refuses("instruction 1 (endl)", "does not end", "loop count=1\nendl level=1");
  refuses("(loop)", "2^31", "loop count=2147483648\nendl");
  std::string deep, ends;
  for (int level = 0; level < 5; ++level) {
    deep += "loop level=" + std::to_string(level) +
            " count=1 body=" + std::to_string(8 - 2 * level) + "\n";
    ends = "endl level=" + std::to_string(level) + "\n" + ends;
  }
  refuses("instruction 4 (loop)", "of 4", (deep + ends).c_str());
}

TEST(NpuVerifyTest, a_region_ends_with_its_only_halt) {
  refuses("instruction 0 (halt)", "HALT as the last", "halt\nnop");
  ProgramBuilder builder;
  builder.add("nop\nnop").bytes();
  builder.endRegion("decode_b4", PMPD_DECODE, 4, 1);
  builder.regions[0].count = 2;
  EXPECT_FAILS(PMPD_BAD_MODEL, "HALT as the last", verifyCode(builder));
}

TEST(NpuVerifyTest, finds_missing_tokens) {
  accepts("nop post=0\nnop wait=0");
  refuses("instruction 0 (nop)", "semaphore 3 that no earlier", "nop wait=3");
  refuses("instruction 2 (nop)", "a deadlock",
          "nop post=0\nnop wait=0\nnop wait=0");
  accepts("nop mode=qs post=0\nnop mode=bpu wait=0");
  // Program order counts: units may overtake, the sequencer does not.
  refuses("instruction 0 (elt)", "a deadlock",
          "elt mode=copy n=1 wait=1\n"
          "ld mode=qw post=1 breg=r1 len0=4 cnt1=1");
  refuses("instruction 0 (nop)", "deadlock", "nop wait=5 post=5");
}

TEST(NpuVerifyTest, counts_tokens_through_loops) {
  // A ring of two slots, filled before the loop.
  accepts("nop post=0\n"
          "nop post=0\n"
          "loop count=100 body=2\n"
          "ld mode=qw wait=0 post=1 breg=r1\n"
          "bpmv bits=1 group=32 wait=1 post=0\n"
          "endl\n"
          "nop wait=-\n");
  accepts("loop count=5 body=1\nnop post=0\nendl\n"
          "loop count=5 body=1\nnop wait=0\nendl");
  refuses("instruction 4 (nop)", "a deadlock",
          "loop count=5 body=1\nnop post=0\nendl\n"
          "loop count=6 body=1\nnop wait=0\nendl");
  refuses("instruction 0 (loop)", "changes by 1 tokens per iteration",
          "loop creg=r10 body=1\nnop post=0\nendl");
  refuses("instruction 0 (loop)", "changes by -1",
          "loop creg=r10 body=1\nnop wait=0\nendl");
  // The first iteration already waits for what the last one posts.
  refuses("instruction 1 (nop)", "a deadlock",
          "loop count=2 body=2\nnop wait=0\nnop post=0\nendl");
  refuses("(nop)", "exceed 65535", "loop count=65536 body=1\nnop post=0\nendl");
  accepts("loop count=65535 body=1\nnop post=0\nendl");
  accepts("loop count=0 body=1\nnop wait=9\nendl");
}

TEST(NpuVerifyTest, a_semaphore_has_one_waiting_unit) {
  refuses("instruction 3 (bpmv)", "waited for by BPU and by QW",
          "nop post=0\nnop post=0\n"
          "ld mode=qw wait=0 breg=r1\n"
          "bpmv bits=1 group=32 wait=0");
}
