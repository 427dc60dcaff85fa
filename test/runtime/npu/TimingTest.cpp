// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/targets/npu/Machine.h"
#include "test/runtime/Fixture.h"
#include "test/runtime/npu/ProgramBuilder.h"

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

using namespace pmpd::npu;
using namespace pmpd::test;
using nlohmann::json;

namespace {

Hardware refHardware() {
  Hardware hardware;
  EXPECT_PMPD_OK(Hardware::find("ref", hardware));
  return hardware;
}

Counters timed(const std::string &code, Hardware hardware = refHardware(),
               Trace *trace = nullptr) {
  ProgramBuilder builder;
  builder.required.scratchpad_bytes = 1 << 21;
  builder.add(code);
  std::vector<uint8_t> file = builder.bytes();
  Program program;
  EXPECT_PMPD_OK(Program::load("test", file.data(), file.size(), program));
  std::unique_ptr<Machine> machine;
  EXPECT_PMPD_OK(
      Machine::create(program, hardware, {nullptr, 1 << 30}, machine));
  machine->setTrace(trace);
  EXPECT_PMPD_OK(machine->run(program.regions()[0], {nullptr, 1, 0, 0, nullptr},
                              Mode::Timing));
  return machine->last();
}

// The numbers of ref.json, written out once more.
constexpr double launch = 20000, bytesPerCycle = 34.128 * 0.95, latency = 150;

/// A weight stream as decode has it: a ring of slots, loads running ahead.
std::string stream(unsigned bits, unsigned slots, unsigned tiles) {
  std::string code;
  for (unsigned i = 0; i < slots; ++i)
    code += "nop post=0\n";
  std::string planes = std::to_string(8 * 2048 * bits);
  return code + "loop count=" + std::to_string(tiles) +
         " body=2\n"
         "ld mode=qw wait=0 post=1 breg=r1 len0=16384 cnt1=" +
         std::to_string(bits) +
         " dstride64=256 lstride=16384\n"
         "bpmv.a16 wait=1 post=0 bits=" +
         std::to_string(bits) +
         " group=128 N=64 K=2048 x=0x40000 sx=0x42000 sw=0x43000 out=0x48000\n"
         "endl";
}

} // namespace

TEST(NpuTimingTest, one_load_and_one_product) {
  // The load is fed in cycle 1 and takes bytes / bandwidth, its token comes
  // 150 ns later; the product is issued in 4 cycles, fills the unit in 16 and
  // needs 1 x 4 x 4 more for 64 rows, 128 columns and 4 planes.
  Counters counters =
      timed("ld mode=qw post=0 breg=r1 len0=1024 cnt1=4 dstride64=16 "
            "lstride=1024\n"
            "bpmv.a16 wait=0 bits=4 group=128 N=64 K=128 x=0x8000 sx=0x9000 "
            "sw=0xa000 out=0xb000");
  EXPECT_NEAR(counters.cycles,
              launch + 1 + 4096 / bytesPerCycle + latency + 4 + 16 + 16, 1e-6);
  EXPECT_NEAR(counters.seconds, counters.cycles * 1e-9, 1e-15);
  EXPECT_EQ(counters.bytes[PMPD_NPU_QW], 4096u);
  EXPECT_EQ(counters.dramBytes(), 4096u);
  EXPECT_EQ(counters.planeBits, 64u * 128 * 4);
  EXPECT_NEAR(counters.busyCycles[PMPD_NPU_BPU], 32, 1e-9);
  EXPECT_EQ(counters.instructions, 3u);
}

TEST(NpuTimingTest, golden_cycles_of_every_unit) {
  // Cycles from the launch to HALT, fed in one, issued in 4, started on the VPU
  // in 20, with 64 lanes and 16 special functions a cycle. HALT takes one
  // cycle, which the other units hide.
  struct {
    const char *code;
    double cycles;
  } cases[] = {
      {"nop", 1 + 1},
      {"nop mode=vpu", 1 + 4},
      {"salu.add rd=r10", 1 + 1},
      {"salu.ld32 rd=r10 ra=r1", 1 + 150 + 1},
      {"ld mode=qk breg=r1", 1 + 150},
      {"ld mode=qk breg=r1 len0=64800 cnt1=1", 1 + 64800 / bytesPerCycle + 150},
      {"st mode=qs breg=r9 len0=3200 cnt1=1",
       1 + 3200 / bytesPerCycle + 20 + 150}, // the port turns around
      {"elt mode=add n=65", 1 + 4 + 20 + 2},
      {"elt mode=silu n=64", 1 + 4 + 20 + 1 + 128.0 / 16},
      {"norm mode=rms D=4096", 1 + 4 + 20 + 4 * 64 + 40 + 1},
      {"norm mode=layer D=4096", 1 + 4 + 20 + 7 * 64 + 2 * 40 + 1},
      {"qact.a16 group=128 K=4096", 1 + 4 + 20 + 4 * 64 + 40 + 64.0 / 16},
      {"rope mode=half heads=32 hd8=16 n=64", 1 + 4 + 20 + 3 * 64},
      {"red mode=max n=32000", 1 + 4 + 20 + 2 * 500 + 40},
      {"kvq mode=f16 heads=32 hd=128", 1 + 4 + 20 + 64},
      {"kvq mode=i8 heads=32 hd=128", 1 + 4 + 20 + 3 * 64 + 40 + 4},
      {"bpmv bits=3 group=32 N=65 K=160", 1 + 4 + 16 + 2 * 5 * 3},
      {"bpmv.lut bits=3 group=32 N=65 K=160", 1 + 4 + 16 + 2 * 5 * 7},
      {"mmq.a16 bits=3 group=32 N=65 K=160 xcols32=5",
       1 + 4 + 2 * 2 * 128 + 190},
      {"mmh N=64 K=128", 1 + 4 + 128 + 190},
      // 64 tokens see 2 x 64 x 128 elements, 64 a cycle, and 65 exponentials.
      {"salu.mov rd=r10 imm=64\n"
       "att mode=f16 nq=1 heads=1 hd8=16 treg=r10",
       2 + 4 + 20 + 256 + 5},
      {"salu.mov rd=r10 imm=64\n"
       "att mode=i4 nq=1 heads=1 hd8=16 treg=r10",
       2 + 4 + 20 + 64 + 5},
  };
  for (const auto &each : cases)
    EXPECT_NEAR(timed(each.code).cycles, launch + each.cycles, 1e-6)
        << each.code;
}

TEST(NpuTimingTest, decode_runs_at_the_bandwidth_of_the_memory) {
  for (unsigned bits = 2; bits <= 4; ++bits) {
    Counters counters = timed(stream(bits, 4, 1000));
    double transfer = 1000.0 * bits * 16384 / bytesPerCycle;
    EXPECT_GT(counters.cycles, transfer);
    EXPECT_LT(counters.cycles, launch + transfer * 1.001 + 3000);
  }
}

TEST(NpuTimingTest, fewer_bits_take_less_time_and_energy) {
  Counters four = timed(stream(4, 4, 100)), three = timed(stream(3, 4, 100)),
           two = timed(stream(2, 4, 100));
  EXPECT_GT(four.cycles, three.cycles);
  EXPECT_GT(three.cycles, two.cycles);
  EXPECT_GT(four.energy(), three.energy());
  EXPECT_GT(three.energy(), two.energy());
  EXPECT_NEAR(double(four.dramBytes()) / two.dramBytes(), 2, 1e-12);
}

TEST(NpuTimingTest, never_faster_than_memory_or_units) {
  Hardware hardware = refHardware();
  for (double gbps : {1.0, 34.0, 1000.0})
    for (unsigned slots : {1, 2, 5}) {
      hardware.dramGbps = gbps;
      Counters counters = timed(stream(3, slots, 50), hardware);
      EXPECT_GE(counters.cycles,
                counters.dramBytes() / hardware.dramBytesPerCycle());
      EXPECT_GE(counters.cycles, counters.planeBits / 2048.0);
      for (double busy : counters.busyCycles)
        EXPECT_LE(busy, counters.cycles);
    }
  Counters matrix = timed("loop count=20 body=1\n"
                          "mmq bits=4 group=128 N=640 K=1280 xcols32=40 "
                          "rows=r7 x=0x80000 sx=0x81000 out=0x82000\nendl");
  EXPECT_GE(matrix.cycles, matrix.int8Macs / 8192.0);
}

TEST(NpuTimingTest, more_slots_never_hurt_and_one_serializes) {
  double before = INFINITY;
  for (unsigned slots = 1; slots <= 6; ++slots) {
    double cycles = timed(stream(4, slots, 60)).cycles - slots;
    EXPECT_LE(cycles, before) << slots;
    before = cycles;
  }
  // Load, latency, product, one after the other.
  double tile = 65536 / bytesPerCycle + latency + 4 + 16 + 64 * 4;
  EXPECT_NEAR(timed(stream(4, 1, 60)).cycles, launch + 60 * tile, 30);
}

TEST(NpuTimingTest, energy_is_positive_and_additive) {
  Counters once = timed(stream(3, 2, 10)), twice = timed(stream(3, 2, 20));
  for (Consumer consumer : {Consumer::Dram, Consumer::Scratchpad,
                            Consumer::BitPlanes, Consumer::Vector}) {
    EXPECT_GT(once.joulesOf(consumer), 0);
    EXPECT_NEAR(twice.joulesOf(consumer), 2 * once.joulesOf(consumer),
                1e-12 * twice.joulesOf(consumer) + 1e-18);
  }
  EXPECT_NEAR(once.joulesOf(Consumer::Static), 0.15 * once.seconds, 1e-15);
  double sum = 0;
  for (double each : once.joules)
    sum += each;
  EXPECT_DOUBLE_EQ(once.energy(), sum);
  // 64 pJ for each byte of DRAM.
  EXPECT_NEAR(once.joulesOf(Consumer::Dram), once.dramBytes() * 64e-12, 1e-15);
  Counters total = once;
  total.add(twice);
  EXPECT_DOUBLE_EQ(total.energy(), once.energy() + twice.energy());
  EXPECT_EQ(total.dramBytes(), once.dramBytes() + twice.dramBytes());
}

TEST(NpuTimingTest, fences_wait_for_units) {
  const char *load = "ld mode=qw breg=r1 len0=1048576 cnt1=1\n";
  double transfer = 1048576 / bytesPerCycle + latency;
  // The product does not need the load, but the fence lets it wait.
  std::string product = "bpmv bits=4 group=32 N=64 K=32 x=0x100 sx=0x140 "
                        "sw=0x180 out=0x200";
  EXPECT_NEAR(timed(load + product).cycles, launch + transfer, 10);
  EXPECT_NEAR(timed(std::string(load) + "fence value=2\n" + product).cycles,
              launch + transfer + 24, 10);
  EXPECT_NEAR(timed(std::string(load) + "fence value=4\n" + product).cycles,
              launch + transfer, 10);
}

TEST(NpuTimingTest, the_memory_serves_who_comes_first) {
  // Three long loads of weights are queued when a short one of the KV cache
  // comes: it waits for the one in progress, not for the others.
  const char *load = "ld mode=qw breg=r1 len0=1048576 cnt1=1\n";
  std::string code = std::string(load) + load + load +
                     "ld mode=qk post=0 breg=r2 len0=64 cnt1=1\nnop wait=0\n";
  double transfer = 1048576 / bytesPerCycle;
  Trace trace;
  TempDir dir;
  Counters counters = timed(code + "evt value=1", refHardware(), &trace);
  EXPECT_NEAR(counters.cycles,
              launch + 1 + 3 * transfer + 64 / bytesPerCycle + latency, 1e-6);
  ASSERT_PMPD_OK(trace.write(dir.path("trace.json")));
  std::ifstream stream(dir.path("trace.json"));
  double mark = 0; // microseconds of 1000 cycles
  const json root = json::parse(stream);
  for (const json &event : root["traceEvents"])
    if (event["name"] == "event 1")
      mark = event["ts"];
  EXPECT_NEAR(mark * 1000, launch + transfer + latency, 10);
}

TEST(NpuTimingTest, traces_are_chrome_trace_events) {
  TempDir dir;
  Trace trace;
  Counters first =
      timed("evt value=5\n" + stream(2, 2, 3), refHardware(), &trace);
  timed(stream(2, 2, 2), refHardware(), &trace);
  ASSERT_PMPD_OK(trace.write(dir.path("trace.json")));
  std::ifstream stream(dir.path("trace.json"));
  json root = json::parse(stream);
  int loads = 0, regions = 0, marks = 0;
  double end = 0;
  for (const json &event : root["traceEvents"]) {
    std::string phase = event["ph"];
    EXPECT_TRUE(phase == "X" || phase == "M" || phase == "i");
    if (phase == "X") {
      EXPECT_GE(event["ts"].get<double>(), 0);
      EXPECT_GE(event["dur"].get<double>(), 0);
      end =
          std::max(end, event["ts"].get<double>() + event["dur"].get<double>());
    }
    loads += event["name"] == "ld";
    regions += event["name"] == "decode_b4";
    marks += event["name"] == "event 5";
  }
  EXPECT_EQ(loads, 5);
  EXPECT_EQ(regions, 2);
  EXPECT_EQ(marks, 1);
  EXPECT_GT(end, first.seconds * 1e6);
  EXPECT_FAILS(PMPD_IO_ERROR, "none", trace.write(dir.path("none/trace.json")));
}
