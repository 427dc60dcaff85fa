// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/runtime/Command.h"

#include <nlohmann/json.hpp>

using namespace pmpd::test;
namespace fs = std::filesystem;

namespace {

class TuneCommandTest : public ::testing::Test {
protected:
  TuneCommandTest() {
    fs::create_directory(dir.path("out"));
    writeFakeDirectory(model);
    dir.write("text.txt", std::string("the quick brown fox jumps over the lazy "
                                      "dog again and again until it is late"));
  }

  Command tune(const std::string &arguments) {
    return runCommand(PMPD_TUNE " -t 1 -m " + model.path() + " --data " +
                      dir.path("text.txt") + " -o " +
                      dir.path("out/found.json") +
                      " --prompt-tokens 9 --new-tokens 12 " + arguments);
  }

  void expectError(int exitCode, const std::string &arguments,
                   const std::string &part) {
    Command command = tune(arguments);
    EXPECT_EQ(command.exitCode, exitCode) << arguments;
    EXPECT_EQ(command.error.find("pmpd-tune: "), 0u) << command.error;
    EXPECT_NE(command.error.find(part), std::string::npos) << command.error;
    EXPECT_EQ(command.out, "");
    EXPECT_FALSE(fs::exists(dir.path("out/found.json")));
  }

  nlohmann::json found() {
    std::ifstream stream(dir.path("out/found.json"));
    return nlohmann::json::parse(stream);
  }

  TempDir dir, model;
};

} // namespace

TEST_F(TuneCommandTest, writes_a_schedule_that_other_tools_take) {
  for (const char *metric : {"ppl", "kl", "rouge"}) {
    Command command = tune(std::string("--max-drop 0.1 --reference ") +
                           model.path() + " --metric " + metric);
    ASSERT_EQ(command.exitCode, 0) << command.error;
    EXPECT_NE(command.out.find("<- chosen"), std::string::npos);
    nlohmann::json schedule = found();
    EXPECT_EQ(schedule["metric"], metric);
    // The schedule file, the table and the plot, and nothing else.
    size_t files = 0;
    for (auto it = fs::directory_iterator(dir.path("out"));
         it != fs::directory_iterator(); ++it)
      ++files;
    EXPECT_EQ(files, 3u);
    EXPECT_TRUE(fs::exists(dir.path("out/found.csv")));
    EXPECT_TRUE(fs::exists(dir.path("out/found.svg")));

    // pmpd-eval scores prompts without going back to where schedules part.
    Command scored = runCommand(
        PMPD_EVAL " --json -t 1 -m " + model.path() + " --reference " +
        model.path() + " --prompts " + dir.path("text.txt") +
        " --prompt-tokens 9 --new-tokens 12 --schedule @" +
        dir.path("out/found.json"));
    ASSERT_EQ(scored.exitCode, 0) << scored.error;
    nlohmann::json answers = nlohmann::json::parse(scored.out)[0]["answers"];
    double value = std::string(metric) == "ppl" ? double(answers["perplexity"])
                   : std::string(metric) == "kl"
                       ? double(answers["kl"])
                       : double(answers["rouge_l_model"]["mean"]);
    EXPECT_NEAR(double(schedule["value"]), value, 1e-6) << metric;

    Command run = runCommand(PMPD_RUN " -n 12 -p a -m " + model.path() +
                             " --schedule @" + dir.path("out/found.json"));
    EXPECT_EQ(run.exitCode, 0) << run.error;
  }
}

TEST_F(TuneCommandTest, goes_on_after_an_interruption) {
  ASSERT_EQ(tune("--max-drop 0.1").exitCode, 0);
  const nlohmann::json whole = found();
  // A name that is taken by a directory stops the search at its end.
  fs::remove(dir.path("out/found.csv"));
  fs::create_directory(dir.path("out/found.csv"));
  EXPECT_EQ(tune("--max-drop 0.1").exitCode, 1);
  ASSERT_TRUE(fs::exists(dir.path("out/found.journal")));
  fs::remove(dir.path("out/found.csv"));
  EXPECT_EQ(tune("--max-drop 0.1").exitCode, 0);
  EXPECT_EQ(found(), whole);
  EXPECT_FALSE(fs::exists(dir.path("out/found.journal")));
}

TEST_F(TuneCommandTest, refuses_a_wrong_command_line) {
  expectError(2, "", "--max-drop");
  expectError(2, "--max-drop -1", "expected a number of at least 0");
  expectError(2, "--max-drop nan", "--max-drop");
  expectError(2, "--max-drop 0.1 --metric bleu", "--metric");
  expectError(2, "--max-drop 0.1 --metric kl", "--reference");
  expectError(2, "--max-drop 0.1 --segments 0", "--segments");
  expectError(2, "--scheduler-data", "--reference");
  Command command =
      runCommand(PMPD_TUNE " -m x --data y --max-drop 0 -o schedule.txt");
  EXPECT_EQ(command.exitCode, 2);
  EXPECT_NE(command.error.find("ends in .json, but got schedule.txt"),
            std::string::npos);
}

TEST_F(TuneCommandTest, reports_what_fails_at_run_time) {
  expectError(1, "--max-drop 0.1 --segments 13",
              "at most one segment per token");
  expectError(1, "--max-drop 0.1 --ctx 15", "leave room for 12 tokens");
  expectError(1, "--max-drop 0.1 --reference /nonexistent", "/nonexistent");
  dir.write("text.txt", std::string());
  expectError(1, "--max-drop 0.1", "text.txt: expected at least 21 tokens");
}

TEST_F(TuneCommandTest, needs_references_of_prompts) {
  dir.write("p.jsonl", std::string("{\"prompt\": \"a fox\"}\n"));
  const std::string data = "--data " + dir.path("p.jsonl") + " --max-drop 0 ";
  auto withPrompts = [&](const std::string &arguments) {
    return runCommand(PMPD_TUNE " -m " + model.path() + " -o " +
                      dir.path("out/found.json") +
                      " --new-tokens 12 --segments 2 " + data + arguments);
  };
  Command command = withPrompts("--metric rouge");
  EXPECT_EQ(command.exitCode, 1);
  EXPECT_NE(command.error.find("prompt 1 has none; add them, or give "
                               "--reference"),
            std::string::npos);
  command = withPrompts("--metric rouge --reference " + model.path());
  EXPECT_EQ(command.exitCode, 0) << command.error;
  EXPECT_EQ(withPrompts("--metric ppl").exitCode, 1);
}
