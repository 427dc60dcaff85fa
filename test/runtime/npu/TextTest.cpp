// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/targets/npu/Text.h"
#include "runtime/targets/npu/Isa.h"
#include "runtime/targets/npu/Verify.h"
#include "test/runtime/Fixture.h"
#include "test/runtime/npu/ProgramBuilder.h"

#include <cstring>
#include <random>
#include <set>

using namespace pmpd::npu;
using namespace pmpd::test;

namespace {

/// Every op as text and as the bytes that include/pmpd/npu.h demands, header
/// and operands, put together by hand.
struct Golden {
  const char *text, *bytes;
};
const Golden golden[] = {
    {"nop wait=1 post=2,3", "000001ff02030000"
                            "000000000000000000000000000000000000000000000000"},
    {"nop mode=bpu wait=1", "0000"
                            "01ffffff0500"
                            "000000000000000000000000000000000000000000000000"},
    {"halt", "0100ffffffff0000"
             "000000000000000000000000000000000000000000000000"},
    {"salu.ceildiv rd=r12 ra=r6 rb=r7 imm=-2",
     "0200ffffffff0000"
     "060c060700000000feffffffffffffff0000000000000000"},
    {"loop level=1 creg=r13 body=40",
     "0300ffffffff0000"
     "010d00000000000028000000000000000000000000000000"},
    {"loop count=32 body=5",
     "0300ffffffff0000"
     "000000002000000005000000000000000000000000000000"},
    {"endl level=1", "0400ffffffff0000"
                     "010000000000000000000000000000000000000000000000"},
    {"fence value=96", "0500ffffffff0000"
                       "600000000000000000000000000000000000000000000000"},
    {"evt value=7", "0600ffffffff0000"
                    "070000000000000000000000000000000000000000000000"},
    {"ld mode=qw wait=5 post=6 breg=r1 oreg=r11 cnt1=4 imm64=1000 "
     "local=r14+0x20000 len0=65536 dstride64=4096 lstride=65536",
     "100005ff06ff0100"
     "010b0400e80300000000020e000001000010000000000100"},
    {"ld.len mode=qk rows=r15 breg=r2 cnt1=1 imm64=-3",
     "1001ffffffff020f"
     "02000100fdffffff00000000000000000000000000000000"},
    {"st.cnt mode=qs wait=-,9 rows=r7 breg=r4 local=0x40 len0=400",
     "1102ff09ffff0407"
     "040000000000000040000000900100000000000000000000"},
    {"qact.a16 group=128 rows=r7 x=0x100 q=0x200 s=0x300 K=256 xstride64=16",
     "2002ffffffff2007"
     "000100000002000000030000000110000000000000000000"},
    {"bpmv.acc.a16.affine bits=3 group=64 wait=1,2 post=3,4 w=r16+0x40 "
     "x=0x1000 sx=0x2000 sw=r16+0x640 out=0x3000 N=64 K=256",
     "210b010203041300"
     "400000100010000000200000400600100030000040000001"},
    {"mmq.lut bits=2 group=32 rows=r7 w=0x40 x=0x1000 sx=0x2000 out=0x3000 "
     "N=70 K=96 xcols32=4 ostride64=5",
     "2204ffffffff0207"
     "400000000010000000200000003000004600600004000500"},
    {"mmh.acc rows=r7 w=0x40 x=0x80 out=0xc0 N=1 K=2 xstride64=3 ostride64=4",
     "2301ffffffff0007"
     "4000000080000000c0000000010002000300040000000000"},
    {"att.first.last mode=i4 rows=r7 q=0x10 kv=0x20 state=0x30 out=0x40 hd8=16 "
     "nq=4 treg=r17 heads=8 scale=0x1p-3",
     "2403ffffffff0207"
     "10000000200000003000000040000000100411080000003e"},
    {"norm mode=layer rows=r7 x=0x10 w=0x20 b=0x30 out=0x40 D=4096 eps=0x1p-20",
     "3000ffffffff0107"
     "100000002000000030000000400000000010000000008035"},
    {"rope mode=interleaved rows=r7 x=0x10 cs=0x20 out=0x30 heads=32 hd8=16 "
     "n=64 xstride64=1 ostride64=2",
     "3100ffffffff0107"
     "100000002000000030000000201040000100020000000000"},
    {"elt.bcast mode=silu_mul rows=r7 a=0x10 b=0x20 out=0x30 n=11008 "
     "imm=-0x1.8p+1 astride64=1 ostride64=2",
     "3201ffffffff0507"
     "100000002000000030000000002b0000000040c001000200"},
    {"red mode=argmax x=0x10 out=0x20 n=32000 rd=r18",
     "3300ffffffff0000"
     "1000000020000000007d0000120000000000000000000000"},
    {"kvq mode=i8 rows=r7 x=0x10 out=0x20 scl=0x30 heads=8 hd=128 xstride64=64",
     "3400ffffffff0107"
     "100000002000000030000000080080004000000000000000"},
};

std::string hexOf(const pmpd_npu_instruction &instruction) {
  std::string text;
  for (uint8_t byte : instruction.bytes) {
    char digits[3];
    std::snprintf(digits, sizeof(digits), "%02x", byte);
    text += digits;
  }
  return text;
}

ProgramBuilder exampleProgram() {
  ProgramBuilder builder;
  builder.constants = {1, 2, 3};
  builder.lines = {{0, builder.string("layer \"0\"; attention\n\x01")},
                   {2, builder.string("head")}};
  pmpd_npu_tensor tensor = {};
  tensor.name = builder.string("w");
  tensor.rows = 64;
  tensor.bits = 4;
  builder.tensors = {tensor};
  builder.add("loop count=2 body=2\n"
              "evt value=3\n"
              "nop post=1 wait=-\n"
              "endl\n"
              "salu.sub rd=r10 ra=r6 imm=-9223372036854775808");
  builder.endRegion("prefill_b4", PMPD_PREFILL, 4, 64);
  builder.add("elt mode=scale n=4 imm=0x1.99999ap-4");
  return builder;
}

/// Assembles what disassembling gives.
std::vector<uint8_t> roundTrip(const std::vector<uint8_t> &file) {
  Program program;
  EXPECT_PMPD_OK(Program::read("test", file.data(), file.size(), program));
  std::string text = disassemble(program);
  std::vector<uint8_t> again;
  EXPECT_PMPD_OK(assemble("test.s", text, again)) << text;
  return again;
}

} // namespace

TEST(NpuTextTest, every_op_has_its_golden_bytes) {
  std::set<uint8_t> seen;
  for (const Golden &each : golden) {
    pmpd_npu_instruction instruction;
    ASSERT_PMPD_OK(assemble(each.text, instruction)) << each.text;
    EXPECT_EQ(hexOf(instruction), each.bytes) << each.text;
    EXPECT_EQ(disassemble(instruction), each.text);
    EXPECT_EQ(checkInstruction(instruction, 1 << 21), "") << each.text;
    seen.insert(instruction.h.op);
  }
  EXPECT_EQ(seen.size(), allOps().size());
}

TEST(NpuTextTest, programs_round_trip) {
  std::vector<uint8_t> file = exampleProgram().bytes();
  EXPECT_EQ(roundTrip(file), file);
}

TEST(NpuTextTest, any_bytes_of_code_round_trip) {
  std::mt19937 random(11);
  ProgramBuilder builder = exampleProgram();
  for (int i = 0; i < 3000; ++i) {
    pmpd_npu_instruction instruction;
    for (uint8_t &byte : instruction.bytes)
      byte = static_cast<uint8_t>(random());
    const std::vector<OpInfo> &ops = allOps();
    instruction.h.op = ops[random() % ops.size()].op;
    if (i % 2) { // mostly sound
      assemble(golden[random() % std::size(golden)].text, instruction);
      instruction.bytes[random() % 32] = static_cast<uint8_t>(random());
    }
    builder.add(instruction);
  }
  std::vector<uint8_t> file = builder.bytes();
  EXPECT_EQ(roundTrip(file), file);
}

TEST(NpuTextTest, says_what_is_wrong_with_a_text) {
  const std::string start = ".program weights=00112233445566778899aabbccddeeff"
                            "\n.section \"CODE\" align=64\n";
  struct {
    std::string text, error;
  } cases[] = {
      {"", "expected a line .program"},
      {"halt", "t.s:1: expected a .section first"},
      {".program weights=00", "t.s:1: expected one .program weights=HEX"},
      {start + ".program weights=00112233445566778899aabbccddeeff",
       "t.s:3: expected one .program"},
      {".section \"CODE\" align=3", "a power of two"},
      {".section CODE align=4", "expected .section"},
      {start + "hlat", "t.s:3: \"hlat\" is not an op"},
      {start + "bpmv.wide bits=2", "\"bpmv.wide\""},
      {start + "bpmv bits=16 group=128", "\"bits=16\""},
      {start + "bpmv bits=2 group=100", "\"group=100\""},
      {start + "bpmv N=65536", "\"N=65536\""},
      {start + "bpmv w=r32+0x40", "\"w=r32+0x40\""},
      {start + "bpmv w=0x1000000", "\"w=0x1000000\""},
      {start + "norm eps=small", "\"eps=small\""},
      {start + "nop wait=256", "\"wait=256\""},
      {start + "nop K=1", "\"K=1\""},
      {start + "ld mode=qx", "\"mode=qx\""},
      {start + ".word 0g", "hexadecimal"},
      {start + ".string x", "in quotes"},
      {start + "region name=1", "t.s:3: \"region\" is not an op"},
      {".program weights=00112233445566778899aabbccddeeff\n"
       ".section \"STRS\" align=1\nhalt",
       "\"halt\" does not belong into section \"STRS\""},
      {".section \"RGNS\" align=8\nregion bits=256",
       "t.s:2: \"bits=256\" is not a field of region or out of range"},
  };
  for (const auto &each : cases) {
    std::vector<uint8_t> bytes;
    EXPECT_FAILS(PMPD_BAD_ARGUMENT, each.error,
                 assemble("t.s", each.text, bytes));
  }
}

TEST(NpuTextTest, damaged_texts_are_refused_or_assembled) {
  std::vector<uint8_t> file = exampleProgram().bytes();
  Program program;
  ASSERT_PMPD_OK(Program::read("test", file.data(), file.size(), program));
  std::string text = disassemble(program);
  std::mt19937 random(12);
  int refused = 0;
  for (int i = 0; i < 3000; ++i) {
    std::string damaged = text;
    for (unsigned j = 0; j <= random() % 3; ++j) {
      size_t at = random() % damaged.size();
      switch (random() % 3) {
      case 0:
        damaged[at] = static_cast<char>(random());
        break;
      case 1:
        damaged.erase(at, random() % 20);
        break;
      default:
        damaged.insert(at, text.substr(random() % text.size(), 9));
        break;
      }
    }
    std::vector<uint8_t> bytes;
    pmpd_status status = assemble("test.s", damaged, bytes);
    EXPECT_TRUE(status == PMPD_OK || status == PMPD_BAD_ARGUMENT);
    refused += status != PMPD_OK;
    if (status == PMPD_OK)
      (void)Program::load("test", bytes.data(), bytes.size(), program);
  }
  EXPECT_GT(refused, 1000);
}
