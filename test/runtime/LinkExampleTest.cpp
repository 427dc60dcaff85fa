// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/runtime/Command.h"

using namespace pmpd::test;

namespace {

class LinkExampleTest : public FakeModelTest {
protected:
  Command run(const std::string &arguments) {
    return runCommand(PMPD_LINK_EXAMPLE " " + arguments);
  }

  const std::string weights = dir.path("fake.pmpdw");
};

} // namespace

TEST_F(LinkExampleTest, generates_and_shows_the_switch) {
  SessionPtr session = newSession();
  setSchedule(session.get(), "4@0,2@2");
  std::vector<int32_t> tokens = generate(session.get(), {5, 4}, 4);
  std::string expected = "[4]";
  for (size_t i = 0; i < tokens.size(); ++i)
    expected += (i == 2 ? " [2] " : " ") + std::to_string(tokens[i]);
  Command command = run(weights + " 4 4@0,2@2 5 4");
  EXPECT_EQ(command.exitCode, 0) << command.error;
  EXPECT_EQ(command.out, expected + "\n");
  EXPECT_NE(command.error.find("3 decode steps"), std::string::npos);
}

TEST_F(LinkExampleTest, refuses_a_wrong_command_line) {
  EXPECT_EQ(run("").exitCode, 2);
  EXPECT_EQ(run(weights + " many 4@0 1").exitCode, 2);
  EXPECT_EQ(run(weights + " 4 4@0 x").exitCode, 2);
}

TEST_F(LinkExampleTest, reports_what_fails_at_run_time) {
  Command command = run("/nonexistent 4 4@0 1");
  EXPECT_EQ(command.exitCode, 1);
  EXPECT_NE(command.error.find("PMPD_NOT_FOUND"), std::string::npos);
  EXPECT_EQ(run(weights + " 4 9@0 1").exitCode, 1);
  EXPECT_EQ(run(weights + " 4 4@0 61").exitCode, 1);
}
