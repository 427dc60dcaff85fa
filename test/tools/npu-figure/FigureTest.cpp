// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/pmpd-npu-figure/Figure.h"
#include "test/runtime/Command.h"
#include "tools/pmpd-npu-figure/Generator.h"

#include <gtest/gtest.h>
#include <sstream>
#include <vector>

using namespace pmpd;
using namespace pmpd::test;
using namespace pmpd::tools;

namespace {

const Shape *const shapes[] = {&vicuna, &mobileLlama, &phi};

npu::Hardware hardwareOf(const char *name) {
  npu::Hardware hardware;
  EXPECT_EQ(npu::Hardware::find(name, hardware), PMPD_OK);
  return hardware;
}

/// Parameters of the linear layers of all blocks.
uint64_t linearParameters(const Shape &shape) {
  uint64_t d = shape.hidden;
  return shape.layers * (4 * d * d + (shape.gated ? 3 : 2) * d * shape.ffn);
}

/// Multiplications of one token through the blocks and the head.
uint64_t multiplications(const Shape &shape) {
  return linearParameters(shape) + uint64_t{shape.vocab} * shape.hidden;
}

} // namespace

TEST(NpuFigureTest, golden_cycles_of_decoding) {
  npu::Hardware hardware = hardwareOf("ref");
  Simulation simulation(hardware);
  struct {
    unsigned bits, headBits;
    double cycles;
  } const golden[] = {{2, 16, 74336095},
                      {3, 16, 99295846},
                      {4, 16, 124271981},
                      {4, 4, 118333525}};
  for (const auto &each : golden) {
    Variant variant = fullAccounting(each.bits);
    variant.headBits = each.headBits;
    EXPECT_NEAR(simulation.decode(vicuna, variant, 610).cycles, each.cycles, 1)
        << each.bits << " bits, head " << each.headBits;
  }
}

TEST(NpuFigureTest, within_the_limits_of_memory_and_units) {
  for (const char *name : {"ref", "edge"}) {
    npu::Hardware hardware = hardwareOf(name);
    Simulation simulation(hardware);
    for (const Shape *shape : shapes)
      for (unsigned bits : {2, 3, 4, 16}) {
        npu::Counters counters =
            simulation.decode(*shape, fullAccounting(bits), 100);
        EXPECT_GE(counters.cycles,
                  counters.dramBytes() / hardware.dramBytesPerCycle());
        EXPECT_GE(counters.cycles, counters.planeBits / 2048.0);
        EXPECT_GE(counters.cycles, counters.halfMacs / 2048.0);
        // Every weight is multiplied once, the attention comes on top.
        if (bits == 16)
          EXPECT_GE(counters.halfMacs, multiplications(*shape));
        else
          EXPECT_EQ(counters.planeBits, bits * linearParameters(*shape));
        EXPECT_GE(counters.bytes[PMPD_NPU_QW],
                  linearParameters(*shape) * bits / 8);
      }
  }
}

TEST(NpuFigureTest, fewer_bits_are_faster_and_cheaper) {
  npu::Hardware hardware = hardwareOf("ref");
  Simulation simulation(hardware);
  for (const Shape *shape : shapes)
    for (auto variant : {paperAccounting, fullAccounting}) {
      npu::Counters before = simulation.decode(*shape, variant(16), 300);
      for (unsigned bits : {4, 3, 2}) {
        npu::Counters now = simulation.decode(*shape, variant(bits), 300);
        EXPECT_LT(now.cycles, before.cycles) << shape->name << " " << bits;
        EXPECT_LT(now.energy(), before.energy());
        EXPECT_LT(now.dramBytes(), before.dramBytes());
        before = now;
      }
    }
}

TEST(NpuFigureTest, the_kv_cache_costs_what_it_holds) {
  npu::Hardware hardware = hardwareOf("ref");
  Simulation simulation(hardware);
  auto bytes = [&](unsigned context, uint8_t format) {
    Variant variant = fullAccounting(2);
    variant.kvFormat = format;
    return simulation.decode(mobileLlama, variant, context).bytes[PMPD_NPU_QK];
  };
  // K and V of 24 layers and 2048 elements: 2 bytes each.
  uint64_t token = 2 * 24 * 2048 * 2;
  EXPECT_EQ(bytes(99, PMPD_NPU_KV_F16), 100 * token);
  EXPECT_EQ(bytes(63, PMPD_NPU_KV_F16), 64 * token);
  EXPECT_EQ(bytes(64, PMPD_NPU_KV_F16), 65 * token);
  // int4 and whole tiles of fp16 scales: 2 x 64 per head.
  EXPECT_EQ(bytes(99, PMPD_NPU_KV_I4),
            100 * token / 4 + 2 * 24 * 16 * 2 * 64 * 2);
}

TEST(NpuFigureTest, decoding_is_at_most_8_kib_of_code) {
  for (const Shape *shape : shapes)
    for (unsigned bits : {2, 3, 4}) {
      Variant variant = fullAccounting(bits);
      std::vector<uint8_t> file = Generator(*shape, variant, 1).program();
      npu::Program program;
      ASSERT_EQ(npu::Program::load("x", file.data(), file.size(), program),
                PMPD_OK)
          << pmpd_last_error();
      EXPECT_LE(program.code().size() * sizeof(pmpd_npu_instruction), 8192u)
          << shape->name << " " << bits << " bits";
    }
}

TEST(NpuFigureTest, verifying_tokens_costs_little_more_than_one) {
  npu::Hardware hardware = hardwareOf("ref");
  Simulation simulation(hardware);
  Variant variant = fullAccounting(4);
  double one = simulation.decode(vicuna, variant, 610).seconds;
  double five = simulation.verify(vicuna, variant, 5, 610).seconds;
  EXPECT_GT(five, one);
  EXPECT_LT(five, 2 * one);
}

TEST(NpuFigureTest, every_bar_is_within_4_percent_of_the_paper) {
  TempDir dir;
  Command done =
      runCommand(std::string(PMPD_NPU_FIGURE) + " --csv " +
                 dir.path("bars.csv") + " --svg " + dir.path("bars.svg"));
  EXPECT_EQ(done.exitCode, 0) << done.error;
  EXPECT_NE(
      done.out.find("32 bars; largest difference from the paper: speedups"),
      std::string::npos);
  EXPECT_NE(done.out.find("| KV cache in int4 | Vicuna-7B | 2000 |"),
            std::string::npos);
  std::ifstream csv(dir.path("bars.csv")), svg(dir.path("bars.svg"));
  std::string line;
  std::getline(csv, line);
  int bars = 0;
  for (; std::getline(csv, line); ++bars) {
    std::vector<std::string> cells;
    std::istringstream stream(line);
    for (std::string cell; std::getline(stream, cell, ',');)
      cells.push_back(cell);
    ASSERT_EQ(cells.size(), 14u) << line;
    auto number = [&](unsigned column) { return std::stod(cells[column]); };
    EXPECT_LT(std::abs(number(8)), 0.04) << line;
    // What counts more takes longer.
    EXPECT_LT(number(9), number(6)) << line;
    EXPECT_LT(number(11), number(9)) << line;
    EXPECT_GT(number(13), 0) << line;
  }
  EXPECT_EQ(bars, 32);
  std::stringstream text;
  text << svg.rdbuf();
  EXPECT_EQ(text.str().rfind("<svg", 0), 0u);

  EXPECT_EQ(runCommand(std::string(PMPD_NPU_FIGURE) + " --bits 3").exitCode, 2);
  Command unknown = runCommand(std::string(PMPD_NPU_FIGURE) + " --config fast");
  EXPECT_EQ(unknown.exitCode, 1);
  EXPECT_NE(unknown.error.find("expected ref, edge"), std::string::npos);
}
