// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/targets/npu/Machine.h"
#include "test/runtime/Fixture.h"
#include "test/runtime/npu/ProgramBuilder.h"

#include <cstring>

using namespace pmpd::npu;
using namespace pmpd::test;

namespace {

/// A program on the machine "ref" with 4 KiB of weights.
class Loaded {
public:
  explicit Loaded(ProgramBuilder builder) : weights(4096, 7) {
    std::vector<uint8_t> file = builder.bytes();
    EXPECT_PMPD_OK(Program::load("test", file.data(), file.size(), program));
    EXPECT_PMPD_OK(Hardware::find("ref", hardware));
    EXPECT_PMPD_OK(Machine::create(program, hardware,
                                   {weights.data(), weights.size()}, machine));
  }

  pmpd_status run(Mode mode = Mode::Functional) {
    return machine->run(program.regions()[0], call, mode);
  }

  Program program;
  Hardware hardware;
  std::vector<uint8_t> weights;
  std::unique_ptr<Machine> machine;
  int32_t tokens[4] = {11, 12, 13, 14};
  std::vector<float> logits = std::vector<float>(400);
  Call call = {tokens, 1, 0, 1, logits.data()};
};

/// Instructions that store the register r10 to the KV cache: each byte selects
/// one of the 256 words that the constants hold.
const char *const storeR10 = "loop count=8 body=8\n"
                             "salu.shr rd=r11 ra=r10 rb=r12\n"
                             "salu.and rd=r11 ra=r11 imm=255\n"
                             "salu.shl rd=r11 ra=r11 imm=2\n"
                             "ld mode=qa post=0 breg=r5 oreg=r11 local=r13+0 "
                             "len0=1 cnt1=1\n"
                             "nop wait=0\n"
                             "salu.add rd=r12 ra=r12 imm=8\n"
                             "salu.add rd=r13 ra=r13 imm=1\n"
                             "nop\n"
                             "endl\n"
                             "st mode=qs breg=r2 len0=8 cnt1=1\n";

/// What a program leaves in r10.
uint64_t registerAfter(const std::string &code, int64_t position = 0) {
  ProgramBuilder builder;
  for (uint32_t i = 0; i < 256; ++i)
    for (unsigned byte = 0; byte < 4; ++byte)
      builder.constants.push_back(byte ? 0 : static_cast<uint8_t>(i));
  builder.add(code + "\n" + storeR10);
  Loaded loaded(builder);
  loaded.call.position = position;
  EXPECT_PMPD_OK(loaded.run()) << code;
  uint64_t value;
  std::memcpy(&value, loaded.machine->kv(), 8);
  return value;
}

void traps(const char *where, const char *why, const std::string &code) {
  ProgramBuilder builder;
  builder.add(code);
  Loaded loaded(builder);
  EXPECT_FAILS(PMPD_BAD_MODEL, why, loaded.run());
  EXPECT_NE(std::string(pmpd_last_error()).find(where), std::string::npos)
      << pmpd_last_error();
  EXPECT_FAILS(PMPD_BAD_MODEL, why, loaded.run(Mode::Timing));
}

} // namespace

TEST(NpuMachineTest, scalar_functions) {
  auto of = [](const char *fn, const char *x, const char *y) {
    return registerAfter("salu.mov rd=r20 imm=" + std::string(x) +
                         "\nsalu.mov rd=r21 imm=1\nsalu." + fn +
                         " rd=r10 ra=r20 rb=r21 imm=" + y);
  };
  // y is 1 + the immediate.
  EXPECT_EQ(of("mov", "5", "41"), 42u);
  EXPECT_EQ(of("add", "-3", "1"), ~uint64_t{0});
  EXPECT_EQ(of("sub", "3", "4"), uint64_t(-2));
  EXPECT_EQ(of("mul", "4294967296", "4294967296"), uint64_t{1} << 32);
  EXPECT_EQ(of("min", "-5", "4"), uint64_t(-5));
  EXPECT_EQ(of("max", "-5", "4"), 5u);
  EXPECT_EQ(of("ceildiv", "15", "3"), 4u);
  EXPECT_EQ(of("ceildiv", "-1", "1"), uint64_t{1} << 63);
  EXPECT_EQ(of("shl", "3", "62"), uint64_t{1} << 63);
  EXPECT_EQ(of("shl", "3", "64"), 6u);
  EXPECT_EQ(of("shr", "-1", "62"), 1u);
  EXPECT_EQ(of("and", "12", "9"), 8u);
  EXPECT_EQ(of("rem", "17", "4"), 2u);
}

TEST(NpuMachineTest, register_zero_stays_zero) {
  EXPECT_EQ(registerAfter("salu.mov imm=9\nsalu.add rd=r10 ra=r0 imm=3"), 3u);
}

TEST(NpuMachineTest, the_host_sets_registers) {
  EXPECT_EQ(registerAfter("salu.mov rd=r10 rb=r6", 77), 77u);
  EXPECT_EQ(registerAfter("salu.mov rd=r10 rb=r7"), 1u);
  EXPECT_EQ(registerAfter("salu.mov rd=r10 rb=r8"), 1u);
  EXPECT_EQ(registerAfter("salu.ld32 rd=r10 ra=r3"), 11u);
  EXPECT_EQ(registerAfter("salu.ld32 rd=r10 ra=r1"), 0x07070707u);
}

TEST(NpuMachineTest, registers_do_not_survive_a_run) {
  ProgramBuilder builder;
  builder.add("salu.ceildiv rd=r11 ra=r0 imm=1\n"
              "salu.add rd=r10 ra=r10 imm=4096\n"
              "ld mode=qw breg=r1 oreg=r10 imm64=-64 len0=4096 cnt1=1");
  Loaded loaded(builder);
  EXPECT_PMPD_OK(loaded.run());
  EXPECT_PMPD_OK(loaded.run());
}

TEST(NpuMachineTest, loops_count) {
  const char *inner = "loop level=1 count=7 body=1\n"
                      "salu.add rd=r10 ra=r10 imm=1\n"
                      "endl level=1\n";
  auto outer = [&](const std::string &count) {
    return registerAfter("salu.mov rd=r20 imm=3\nloop " + count + " body=3\n" +
                         inner + "endl\n");
  };
  EXPECT_EQ(outer("count=5"), 35u);
  EXPECT_EQ(outer("creg=r20"), 21u);
  EXPECT_EQ(outer("creg=r20 count=9"), 21u);
  EXPECT_EQ(outer("count=0"), 0u);
  EXPECT_EQ(outer("creg=r21"), 0u);
}

TEST(NpuMachineTest, an_argmax_reaches_the_sequencer) {
  ProgramBuilder builder;
  builder.constants.resize(1024);
  float values[] = {1, 5, 9, 2};
  std::memcpy(&builder.constants[256], values, sizeof(values));
  for (unsigned i = 0; i < 4; ++i)
    builder.constants[4 * i] = static_cast<uint8_t>(40 + i);
  builder.add("ld mode=qa post=1 breg=r5 imm64=4 local=0x80 len0=16 cnt1=1\n"
              "red mode=argmax wait=1 x=0x80 out=0x90 n=4 rd=r14\n"
              "salu.shl rd=r14 ra=r14 imm=2\n"
              "ld mode=qa post=2 breg=r5 oreg=r14 len0=1 cnt1=1\n"
              "st mode=qs wait=2 breg=r2 len0=1 cnt1=1");
  Loaded loaded(builder);
  ASSERT_PMPD_OK(loaded.run());
  EXPECT_EQ(loaded.machine->kv()[0], 42);
}

TEST(NpuMachineTest, transfers_move_strided_rows_both_ways) {
  ProgramBuilder builder;
  builder.constants.resize(1000);
  for (unsigned i = 0; i < builder.constants.size(); ++i)
    builder.constants[i] = static_cast<uint8_t>(i * 37);
  builder.add("salu.mov rd=r10 imm=5\n"
              "salu.mov rd=r11 imm=3\n"
              "ld.len mode=qa post=0 rows=r10 breg=r5 imm64=1 cnt1=3 local=0x1 "
              "dstride64=2 lstride=7\n"
              "st.cnt mode=qs wait=0 rows=r11 breg=r2 oreg=r10 local=0x1 "
              "len0=5 dstride64=1 lstride=7");
  Loaded loaded(builder);
  ASSERT_PMPD_OK(loaded.run());
  std::vector<uint8_t> expected(256);
  for (unsigned row = 0; row < 3; ++row)
    for (unsigned i = 0; i < 5; ++i)
      expected[5 + row * 64 + i] = builder.constants[64 + row * 128 + i];
  EXPECT_TRUE(
      std::equal(expected.begin(), expected.end(), loaded.machine->kv()));
}

TEST(NpuMachineTest, traps) {
  traps("region decode_b4, instruction 1 (salu)", "divides by zero",
        "nop\nsalu.rem ra=r6");
  traps("(salu)", "divides by zero", "salu.ceildiv ra=r6");
  traps("(salu)", "outside of the memories", "salu.ld32 ra=r3 imm=4");
  traps("(salu)", "outside of the memories", "salu.ld32 imm=-4");
  traps("(ld)", "outside of the memories",
        "ld mode=qw breg=r1 len0=4097 cnt1=1");
  traps("(ld)", "outside of the memories",
        "ld mode=qw breg=r1 imm64=-1 len0=1 cnt1=1");
  traps("(ld)", "outside of the memories",
        "ld mode=qw breg=r1 len0=1 cnt1=2 dstride64=64");
  traps("(ld)", "negative or above",
        "salu.mov rd=r10 imm=-1\nld.len mode=qw rows=r10 breg=r1 cnt1=1");
  traps("(st)", "read only", "st mode=qs breg=r1 len0=4 cnt1=1");
  traps("(st)", "read only", "st mode=qs breg=r3 len0=4 cnt1=1");
  traps("(elt)", "outside of the scratchpad",
        "salu.mov rd=r10 imm=65536\nelt mode=copy n=1 a=r10+0");
  traps("(elt)", "outside of the scratchpad",
        "salu.mov rd=r10 imm=-4\nelt mode=copy n=1 a=r10+0");
  traps("(elt)", "not aligned", "elt mode=copy n=1 a=0x2");
  traps("(bpmv)", "not aligned", "bpmv bits=1 group=32 N=1 K=32 w=0x4");
  traps("(norm)", "rows is negative",
        "salu.mov rd=r10 imm=-1\nnorm mode=rms rows=r10 D=1");
  traps("(loop)", "2^31",
        "salu.mov rd=r10 imm=4294967296\nloop creg=r10\nendl");
  traps("(endl)", "budget", "loop count=2147483647 body=1\nnop\nendl");
}

TEST(NpuMachineTest, refuses_bad_calls) {
  ProgramBuilder builder;
  builder.endRegion("prefill_b4", PMPD_PREFILL, 4, 4);
  Loaded loaded(builder);
  auto bad = [&](const char *why, Call call, Mode mode = Mode::Timing) {
    loaded.call = call;
    EXPECT_FAILS(PMPD_BAD_ARGUMENT, why, loaded.run(mode));
  };
  bad("1 to 4 rows", {nullptr, 0, 0, 0, nullptr});
  bad("1 to 4 rows", {nullptr, 5, 0, 0, nullptr});
  bad("context of 128", {nullptr, 4, 125, 0, nullptr});
  bad("context of 128", {nullptr, 1, -1, 0, nullptr});
  bad("2 with logits", {nullptr, 1, 0, 2, nullptr});
  bad("only timing", {nullptr, 1, 0, 0, nullptr}, Mode::Functional);
  bad("only timing", {loaded.tokens, 1, 0, 1, nullptr}, Mode::Both);
  loaded.call = {nullptr, 4, 124, 4, nullptr};
  EXPECT_PMPD_OK(loaded.run(Mode::Timing));
}

TEST(NpuMachineTest, refuses_hardware_that_lacks_something) {
  ProgramBuilder builder;
  builder.required.scratchpad_bytes = uint64_t{1} << 30;
  std::vector<uint8_t> file = builder.bytes();
  Program program;
  ASSERT_PMPD_OK(Program::load("test", file.data(), file.size(), program));
  Hardware hardware;
  ASSERT_PMPD_OK(Hardware::find("edge", hardware));
  std::unique_ptr<Machine> machine;
  EXPECT_FAILS(PMPD_BAD_MODEL, "bytes of scratchpad, but the hardware has",
               Machine::create(program, hardware, {}, machine));
  builder = ProgramBuilder();
  builder.required.registers = 64;
  file = builder.bytes();
  ASSERT_PMPD_OK(Program::load("test", file.data(), file.size(), program));
  EXPECT_FAILS(PMPD_BAD_MODEL, "64 registers",
               Machine::create(program, hardware, {}, machine));
}

TEST(NpuMachineTest, clearing_the_kv_cache_zeroes_it) {
  ProgramBuilder builder;
  builder.add("ld mode=qw post=0 breg=r1 len0=64 cnt1=1\n"
              "st mode=qs wait=0 breg=r2 len0=64 cnt1=1");
  Loaded loaded(builder);
  ASSERT_PMPD_OK(loaded.run());
  EXPECT_EQ(loaded.machine->kv()[63], 7);
  loaded.machine->clearKv();
  EXPECT_EQ(loaded.machine->kv()[63], 0);
}

TEST(NpuMachineTest, both_modes_at_once_are_the_two_apart) {
  ProgramBuilder builder;
  builder.add("ld mode=qw post=0 breg=r1 len0=400 cnt1=1\n"
              "elt mode=scale wait=0 post=1 n=100 imm=0x1p+1\n"
              "st mode=qs wait=1 breg=r4 len0=400 cnt1=1");
  Loaded functional(builder), timing(builder), both(builder);
  ASSERT_PMPD_OK(functional.run(Mode::Functional));
  ASSERT_PMPD_OK(timing.run(Mode::Timing));
  ASSERT_PMPD_OK(both.run(Mode::Both));
  EXPECT_EQ(std::memcmp(functional.logits.data(), both.logits.data(), 400), 0);
  EXPECT_NE(functional.logits[0], 0.0f);
  EXPECT_EQ(timing.logits[0], 0.0f);
  EXPECT_EQ(timing.machine->last().cycles, both.machine->last().cycles);
  EXPECT_EQ(functional.machine->last().instructions, 4u);
  EXPECT_EQ(both.machine->last().instructions, 4u);
}
