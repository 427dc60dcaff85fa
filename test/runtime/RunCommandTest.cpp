// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/runtime/Command.h"

#include <nlohmann/json.hpp>

using namespace pmpd::test;

namespace {

class RunCommandTest : public FakeModelTest {
protected:
  RunCommandTest() { writeFakeDirectory(dir_); }

  Command run(const std::string &arguments) {
    return runCommand(PMPD_RUN " -t 1 -m " + dir_.path() + " " + arguments);
  }

  void expectUsageError(const std::string &arguments, const std::string &part) {
    Command command = run(arguments);
    EXPECT_EQ(command.exitCode, 2) << arguments;
    EXPECT_NE(command.error.find(part), std::string::npos) << command.error;
    EXPECT_EQ(command.out, "");
  }

  void expectRunError(const std::string &arguments, const std::string &part) {
    Command command = run(arguments);
    EXPECT_EQ(command.exitCode, 1) << arguments;
    EXPECT_EQ(command.error.find("pmpd-run: "), 0u) << command.error;
    EXPECT_NE(command.error.find(part), std::string::npos) << command.error;
  }

  TempDir dir_;
};

} // namespace

TEST_F(RunCommandTest, refuses_a_wrong_command_line) {
  expectUsageError("-p a --frobnicate", "--frobnicate");
  expectUsageError("", "--prompt");
  expectUsageError("-p a -f b", "--file");
  expectUsageError("-p a -n many", "expected a number of at least 0, but got "
                                   "many");
  expectUsageError("-p a -n -3", "-3");
  expectUsageError("-p a -n 99999999999999999999", "number of at most 9223372");
  expectUsageError("-p a --ctx 5000000000", "number of at most 2147483647");
  expectUsageError("-p a --npu-mode 0",
                   "expected one of both, functional, timing, but got 0");
  expectUsageError("-p a --schedule 4@0,zwei", "expected bits at character 5");
  expectUsageError("-p a --schedule 4@0 --schedule 3@0", "--schedule");
  expectUsageError("-p a --top-p 1.5", "--top-p");
  expectUsageError("-p a --temperature warm", "--temperature");
  expectUsageError("-p a --prefill-bits x", "--prefill-bits");
  EXPECT_EQ(runCommand(PMPD_RUN " -p a").exitCode, 2); // no model
}

TEST_F(RunCommandTest, reports_what_fails_at_run_time) {
  expectRunError("-p a --prefill-bits 2", "prefill bits of 4, 3, but got 2");
  expectRunError("-p a --schedule 7@0", "decode bits of 4, 3, 2, but got 7");
  expectRunError("-p a --ctx 65", "context of 0 .. 64");
  expectRunError("-p aaaaaaaaaa --ctx 5", "at most 5 more tokens");
  expectRunError("-f /nonexistent", "/nonexistent");
  expectRunError("--raw -p '1 x'", "token ids separated by spaces");
  expectRunError("--raw -p '1 61'", "0 .. 60");
  expectRunError("--raw -p '1 99999999999'", "got '99999999999'");
  expectRunError("-f " + dir_.path(""), "cannot read: Is a directory");
  expectRunError("-f - <" + dir_.path(""),
                 "standard input: cannot read: Is a directory");
  expectRunError("-p a --schedule @" + dir_.path(""),
                 "cannot read the schedule: Is a directory");
  expectRunError("-p a --npu-mode timing", "compiled with --target npu");
  expectRunError("-p a --npu-config ref", "compiled with --target npu");
  expectRunError("--raw -p ''", "at least one token");
  std::filesystem::remove(dir_.path("fake.tokenizer.json"));
  expectRunError("-p a", "fake.tokenizer.json");
  dir_.write("fake.pmpdw", std::string("short"));
  expectRunError("--raw -p 1", "truncated");
}

TEST_F(RunCommandTest, verify_reads_every_byte) {
  Command command = run("--raw -p 1 -n 1 --verify");
  EXPECT_EQ(command.exitCode, 0) << command.error;
}

TEST_F(RunCommandTest, prints_help_and_version) {
  Command help = runCommand(PMPD_RUN " --help");
  EXPECT_EQ(help.exitCode, 0);
  EXPECT_NE(help.out.find("--show-bits"), std::string::npos);
  for (size_t i = 0; const pmpd_scheduler_info *info = pmpd_scheduler_at(i);
       ++i)
    EXPECT_NE(help.out.find(info->syntax), std::string::npos);
  Command version = runCommand(PMPD_RUN " --version");
  EXPECT_EQ(version.exitCode, 0);
  EXPECT_EQ(version.out, "pmpd-run " PMPD_VERSION ", model ABI " +
                             std::to_string(PMPD_ABI_VERSION) + "\n");
}

TEST_F(RunCommandTest, raw_takes_and_prints_token_ids) {
  std::string expected;
  for (int32_t token : generate(newSession().get(), {5, 4, 3}, 6))
    expected += std::to_string(token) + " ";
  Command command = run("--raw -p '5 4 3' -n 6");
  EXPECT_EQ(command.exitCode, 0) << command.error;
  EXPECT_EQ(command.out, expected + "\n");
  dir_.write("ids.txt", std::string("5\n4 3\n"));
  EXPECT_EQ(run("--raw -f " + dir_.path("ids.txt") + " -n 6").out, command.out);
}

TEST_F(RunCommandTest, shows_where_the_bits_change) {
  Command command =
      run("--raw -p 5 -n 6 --show-bits --schedule 4@0,3@2,2@4 --ignore-eos");
  size_t four = command.out.find("[4]"), three = command.out.find("[3]"),
         two = command.out.find("[2]");
  EXPECT_EQ(four, 0u) << command.out;
  EXPECT_LT(four, three);
  EXPECT_LT(three, two);
  EXPECT_NE(two, std::string::npos);
}

TEST_F(RunCommandTest, takes_a_schedule_file_and_its_prefill_bits) {
  std::string file = dir.write("s.json", std::string(R"({"format":
    "pmpd-schedule", "version": 1, "schedule": "3/3@0,2@2"})"));
  std::string command = "--raw -p 5 -n 4 --show-bits --schedule @" + file;
  EXPECT_EQ(run(command).out, run("--raw -p 5 -n 4 --show-bits --prefill-bits 3"
                                  " --schedule 3@0,2@2")
                                  .out);
  EXPECT_EQ(run(command + " --prefill-bits 4").out.find("[4]"), 0u);
  expectRunError("-p a --schedule @" + dir.path("absent"), "cannot read");
}

TEST_F(RunCommandTest, prints_one_json_object) {
  Command command =
      run("-p 'ab c' -n 9 --json --schedule 4@0,2@3 --ignore-eos");
  ASSERT_EQ(command.exitCode, 0) << command.error;
  nlohmann::json json = nlohmann::json::parse(command.out);
  // <|endoftext|>, then one token per byte; a is 3 and the space is 1.
  EXPECT_EQ(json["prefill"]["tokens"], 5);
  std::vector<int32_t> tokens = json["tokens"];
  SessionPtr session = newSession();
  setSchedule(session.get(), "4@0,2@3");
  EXPECT_EQ(tokens, generate(session.get(), {0, 3, 4, 1, 5}, 9));
  std::vector<int32_t> bits = {4, 4, 4, 2, 2, 2, 2, 2, 2};
  EXPECT_EQ(json["bits"], bits);
  EXPECT_EQ(json["decode"]["tokens"], 8);
  EXPECT_DOUBLE_EQ(json["decode"]["average_bits"], (2 * 4 + 6 * 2) / 8.0);
  std::string text;
  for (int32_t token : tokens)
    text += token == 1                 ? " "
            : token == 2               ? "\n"
            : token > 2 && token <= 28 ? std::string(1, char('a' + token - 3))
                                       : "";
  EXPECT_EQ(json["text"], text);
}

TEST_F(RunCommandTest, begins_without_a_token_if_asked) {
  Command command = run("-p abc -n 1 --json --no-bos");
  EXPECT_EQ(nlohmann::json::parse(command.out)["prefill"]["tokens"], 3);
}

TEST_F(RunCommandTest, says_that_the_context_is_full) {
  const std::string full = "the context of 8 tokens is full";
  Command command = run("--raw -p '1 2 3' -n 9 --ctx 8");
  EXPECT_EQ(command.exitCode, 0);
  EXPECT_NE(command.error.find(full), std::string::npos) << command.error;
  // Six tokens fit behind three, as the last needs no room.
  EXPECT_EQ(run("--raw -p '1 2 3' -n 6 --ctx 8").error, "");
  command = run("--raw -p '1 2 3' -n 7 --ctx 8 --json");
  EXPECT_EQ(nlohmann::json::parse(command.out)["context_full"], true);
}

TEST_F(RunCommandTest, reports_output_that_cannot_be_written) {
  for (const char *arguments : {"-p a", "-p a --json", "--help"}) {
    Command command = runCommand("{ " PMPD_RUN " -m " + dir_.path() + " " +
                                 arguments + " >/dev/full; }");
    EXPECT_EQ(command.exitCode, 1) << arguments;
    EXPECT_EQ(command.error, "pmpd-run: cannot write to standard output\n");
  }
}

TEST_F(RunCommandTest, stats_go_to_the_error_stream) {
  Command command = run("--raw -p 1 -n 5 --stats --schedule 3@0");
  EXPECT_NE(command.error.find("prefill      1 tokens"), std::string::npos)
      << command.error;
  EXPECT_NE(command.error.find("decode       4 tokens"), std::string::npos);
  EXPECT_NE(command.error.find("3.00 bits on average"), std::string::npos);
  EXPECT_EQ(command.out.find("tokens/s"), std::string::npos);
}

TEST_F(RunCommandTest, sampling_repeats_with_its_seed) {
  std::string sampled = "--raw -p 1 -n 20 --temperature 2 --seed ";
  EXPECT_EQ(run(sampled + "7").out, run(sampled + "7").out);
  EXPECT_NE(run(sampled + "7").out, run(sampled + "8").out);
}
