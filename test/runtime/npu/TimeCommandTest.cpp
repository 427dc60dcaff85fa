// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/runtime/Command.h"
#include "test/runtime/npu/ProgramBuilder.h"

#include <nlohmann/json.hpp>
#include <sstream>

using namespace pmpd::test;

namespace {

Command time(const std::string &arguments) {
  return runCommand(std::string(PMPD_NPU_TIME) + " " + arguments);
}

/// The cells of the table's row that begins with `name`.
std::vector<std::string> row(const std::string &table,
                             const std::string &name) {
  size_t at = table.find("| " + name + " |");
  EXPECT_NE(at, std::string::npos) << table;
  std::istringstream line(table.substr(at, table.find('\n', at) - at));
  std::vector<std::string> cells;
  for (std::string cell; std::getline(line, cell, '|');)
    cells.push_back(cell);
  return cells;
}

} // namespace

TEST(NpuTimeCommandTest, times_every_region) {
  TempDir dir;
  ProgramBuilder builder;
  builder.add("ld.len mode=qk rows=r6 breg=r2 cnt1=1")
      .endRegion("prefill_b4", PMPD_PREFILL, 4, 32);
  builder.add("ld mode=qw breg=r1 len0=65536 cnt1=1")
      .endRegion("decode_b2", PMPD_DECODE, 2, 1);
  std::string program = dir.write("test.pnpu", builder.bytes());
  std::string trace = dir.path("trace.json");
  Command done =
      time(program + " --config ref --context 96 --rows 16 --trace " + trace);
  ASSERT_EQ(done.exitCode, 0) << done.error;
  // Launch, one load, latency: 20 us + 65536 B at 32.42 GB/s + 150 ns.
  std::vector<std::string> decode = row(done.out, "decode_b2");
  EXPECT_EQ(decode[2], " 64 ");
  EXPECT_EQ(decode[4], " 1 ");
  EXPECT_NEAR(std::stod(decode[5]), 20e-3 + 65536 / 32421.6e3 + 151e-6, 6e-4);
  EXPECT_EQ(decode[8], " 0.066 ");
  EXPECT_EQ(row(done.out, "prefill_b4")[4], " 16 ");
  std::ifstream stream(trace);
  EXPECT_FALSE(nlohmann::json::parse(stream)["traceEvents"].empty());
}

TEST(NpuTimeCommandTest, errors) {
  TempDir dir;
  ProgramBuilder builder;
  std::string program = dir.write("test.pnpu", builder.bytes());
  // The builder's file holds no hardware configuration.
  Command none = time(program);
  EXPECT_EQ(none.exitCode, 1);
  EXPECT_NE(none.error.find("expected a \"name\""), std::string::npos);
  Command far = time(program + " --config ref --context 128");
  EXPECT_EQ(far.exitCode, 1);
  EXPECT_NE(far.error.find("within a context of 128"), std::string::npos);
  EXPECT_EQ(far.out, "");
  EXPECT_EQ(time(program + " --context -1").exitCode, 2);
  EXPECT_EQ(time("").exitCode, 2);
}
