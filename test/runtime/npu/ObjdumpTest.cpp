// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/runtime/Command.h"
#include "test/runtime/npu/ProgramBuilder.h"

using namespace pmpd::test;

namespace {

class NpuObjdumpTest : public ::testing::Test {
protected:
  NpuObjdumpTest() {
    builder.add("nop post=0\nbpmv.a16 wait=0 bits=2 group=128 N=64 K=128");
    file = builder.bytes();
    path = dir.write("test.pnpu", file);
  }
  Command objdump(const std::string &arguments) {
    return runCommand(std::string(PMPD_OBJDUMP) + " " + arguments);
  }
  std::string contents(const std::string &name) {
    std::ifstream stream(dir.path(name), std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(stream), {});
  }

  TempDir dir;
  ProgramBuilder builder;
  std::vector<uint8_t> file;
  std::string path;
};

} // namespace

TEST_F(NpuObjdumpTest, prints_a_program) {
  Command done = objdump(path);
  EXPECT_EQ(done.exitCode, 0) << done.error;
  EXPECT_NE(done.out.find("\n; region \"decode_b4\"\n"
                          "  nop post=0\n"
                          "  bpmv.a16 bits=2 group=128 wait=0 N=64 K=128\n"),
            std::string::npos)
      << done.out;
  EXPECT_NE(done.out.find("\n  halt\n"), std::string::npos);
}

TEST_F(NpuObjdumpTest, assembling_gives_the_same_bytes) {
  ASSERT_EQ(objdump(path + " -o " + dir.path("test.s")).exitCode, 0);
  ASSERT_EQ(objdump("--assemble " + dir.path("test.s") + " -o " +
                    dir.path("again.pnpu"))
                .exitCode,
            0);
  EXPECT_EQ(contents("again.pnpu"), std::string(file.begin(), file.end()));
}

TEST_F(NpuObjdumpTest, errors_leave_no_file) {
  std::string bad = dir.write("bad.s", std::string("halt\n"));
  Command done = objdump("--assemble " + bad + " -o " + dir.path("bad.pnpu"));
  EXPECT_EQ(done.exitCode, 1);
  EXPECT_NE(done.error.find("bad.s:1: expected a .section first"),
            std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(dir.path("bad.pnpu")));
  EXPECT_EQ(objdump("").exitCode, 2);
  EXPECT_EQ(objdump(dir.path("none.pnpu")).exitCode, 1);
}

TEST_F(NpuObjdumpTest, refuses_what_the_verifier_refuses_unless_asked) {
  builder = ProgramBuilder();
  builder.add("nop wait=0");
  std::string deadlock = dir.write("deadlock.pnpu", builder.bytes());
  Command done = objdump(deadlock);
  EXPECT_EQ(done.exitCode, 1);
  EXPECT_NE(done.error.find("a deadlock"), std::string::npos);
  EXPECT_EQ(objdump("--unverified " + deadlock).exitCode, 0);
  file[100] ^= 1;
  std::string damaged = dir.write("damaged.pnpu", file);
  EXPECT_EQ(objdump("--unverified " + damaged).exitCode, 1);
}
