// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/runtime/Command.h"
#include "tools/evaluation/Rouge.h"
#include "tools/support/Tool.h"

#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>
#include <random>
#include <set>

using namespace pmpd::test;
using namespace pmpd::tools;
using nlohmann::json;
namespace fs = std::filesystem;

namespace {

constexpr int64_t kNewTokens = 15;

std::string readAll(const std::string &path) {
  std::ifstream stream(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(stream), {});
}

class SchedulerDataTest : public ::testing::Test {
protected:
  SchedulerDataTest() {
    writeFakeDirectory(model);
    dir.write("text.txt", text);
  }

  Command tune(const std::string &arguments, const std::string &file = "d") {
    return runCommand(PMPD_TUNE " --scheduler-data -m " + model.path() +
                      " --data " + dir.path("text.txt") + " -o " +
                      dir.path(file) + " " + arguments);
  }

  /// Some samples; expects success.
  void write(int samples, const std::string &file = "d",
             const std::string &arguments = "") {
    Command command =
        tune("--reference " + model.path() +
                 " --prompt-tokens 20 --new-tokens 15 --samples " +
                 std::to_string(samples) + " " + arguments,
             file);
    ASSERT_EQ(command.exitCode, 0) << command.error;
  }

  std::vector<json> readLines(const std::string &file = "d") {
    std::ifstream stream(dir.path(file));
    std::vector<json> lines;
    for (std::string line; std::getline(stream, line);)
      lines.push_back(json::parse(line));
    return lines;
  }

  void expectError(int exitCode, const std::string &arguments,
                   const std::string &part) {
    Command command = tune(arguments, "bad");
    EXPECT_EQ(command.exitCode, exitCode) << arguments;
    EXPECT_NE(command.error.find(part), std::string::npos) << command.error;
    EXPECT_FALSE(fs::exists(dir.path("bad")));
  }

  TempDir dir, model;
  const std::string text =
      "the quick brown fox jumps over the lazy dog again and again until it is "
      "too late to jump any more and the dog sleeps under a tree";
};

/// The greedy answer when token `index` is decoded at bits(index).
std::vector<int32_t> answer(const std::vector<int32_t> &prompt,
                            std::function<int32_t(int64_t)> bits) {
  Reference reference;
  std::vector<int32_t> tokens = {
      argmax(reference.run(PMPD_PREFILL, 4, prompt))};
  while (tokens.back() != 0 && int64_t(tokens.size()) < kNewTokens)
    tokens.push_back(argmax(reference.run(
        PMPD_DECODE, bits(int64_t(tokens.size())), {tokens.back()})));
  if (tokens.back() == 0) // <|endoftext|>
    tokens.pop_back();
  return tokens;
}

} // namespace

TEST_F(SchedulerDataTest, samples_are_what_their_definition_says) {
  write(40);
  std::vector<json> lines = readLines();
  const std::string planes = readAll(dir.path("d.kv"));
  ASSERT_EQ(lines.size(), 41u);
  EXPECT_EQ(lines[0]["format"], "pmpd-scheduler-data");
  EXPECT_EQ(lines[0]["heads"], kKvHeads);
  EXPECT_EQ(lines[0]["head_dim"], kHeadDim);
  EXPECT_EQ(lines[0]["element"], "float32");

  ModelArgs args;
  args.directory = model.path();
  OpenModel opened(args);
  auto score = [&](const std::vector<int32_t> &expected,
                   const std::vector<int32_t> &actual) {
    auto decode = [&](const std::vector<int32_t> &tokens) {
      std::string decoded;
      for (int32_t token : tokens)
        decoded += opened.tokenizer().decode(token);
      return decoded;
    };
    return std::round(rougeL(decode(expected), decode(actual)) * 1000) / 1000;
  };
  std::set<int> classes;
  size_t end = 0;
  for (size_t i = 1; i < lines.size(); ++i) {
    const json &line = lines[i];
    const size_t from = line["from"], count = line["tokens"];
    EXPECT_GE(count, 10u);
    EXPECT_LE(count, 20u);
    std::vector<int32_t> prompt = {0};
    for (char letter : text.substr(from, count - 1))
      prompt.push_back(letter == ' ' ? 1 : letter - 'a' + 3);

    // K and V of the last layer, without the room for more tokens.
    EXPECT_EQ(line["at"], end);
    Reference reference;
    reference.run(PMPD_PREFILL, 4, prompt);
    std::string expected;
    const size_t head = kContext * kHeadDim * sizeof(float);
    for (size_t plane = 0; plane < 2 * kKvHeads; ++plane)
      expected.append(reinterpret_cast<const char *>(reference.kv().data()) +
                          ((kLayers - 1) * 2 * kKvHeads + plane) * head,
                      count * kHeadDim * sizeof(float));
    EXPECT_EQ(planes.substr(end, expected.size()), expected);
    end += expected.size();

    std::vector<int32_t> truth = answer(prompt, [](int64_t) { return 4; });
    for (int32_t high : {4, 3}) {
      std::string pair = std::to_string(high) + "_" + std::to_string(high - 1);
      double all = score(truth, answer(prompt, [&](int64_t) { return high; }));
      int label = 3;
      for (int c = 2; c >= 0; --c) {
        double forked =
            score(truth, answer(prompt, [&](int64_t index) {
                    return index < kNewTokens * c / 3 ? high : high - 1;
                  }));
        EXPECT_EQ(line["rouge"][pair][c], forked) << i << " " << pair;
        if (forked >= all)
          label = c;
      }
      EXPECT_EQ(line["labels"][pair], label) << i << " " << pair;
      classes.insert(label);
    }
  }
  EXPECT_EQ(planes.size(), end);
  EXPECT_GE(classes.size(), 3u); // or the test would say little
}

TEST_F(SchedulerDataTest, samples_depend_on_their_number_and_the_seed) {
  write(12, "one", "-t 1");
  write(12, "two", "-t 2");
  EXPECT_EQ(readAll(dir.path("one")), readAll(dir.path("two")));
  EXPECT_EQ(readAll(dir.path("one.kv")), readAll(dir.path("two.kv")));
  write(12, "other", "--seed 1");
  EXPECT_NE(readAll(dir.path("other.kv")), readAll(dir.path("one.kv")));
}

TEST_F(SchedulerDataTest, goes_on_after_an_interruption_anywhere) {
  write(6, "whole");
  const std::string lines = readAll(dir.path("whole"));
  const std::string planes = readAll(dir.path("whole.kv"));
  std::mt19937 random(3);
  for (int round = 0; round < 12; ++round) {
    dir.write("d", lines.substr(0, random() % lines.size()));
    dir.write("d.kv", planes.substr(0, random() % planes.size()));
    write(6);
    EXPECT_EQ(readAll(dir.path("d")), lines);
    EXPECT_EQ(readAll(dir.path("d.kv")), planes);
  }
  write(3); // has more than that already
  EXPECT_EQ(readAll(dir.path("d")), lines);
}

TEST_F(SchedulerDataTest, refuses_to_go_on_with_another_setting) {
  write(2);
  const std::string lines = readAll(dir.path("d"));
  Command command = tune("--reference " + model.path() +
                         " --prompt-tokens 20 --new-tokens 9");
  EXPECT_EQ(command.exitCode, 1);
  EXPECT_NE(command.error.find("expected samples of the same setting"),
            std::string::npos);
  EXPECT_EQ(readAll(dir.path("d")), lines);
}

TEST_F(SchedulerDataTest, says_what_is_missing_or_does_not_fit) {
  const std::string reference = "--reference " + model.path();
  expectError(2, "", "--scheduler-data requires --reference");
  expectError(2, reference + " --prompt-tokens 1", "at least 2");
  expectError(2, reference + " --samples 0", "--samples");
  expectError(1, reference + " --prompt-tokens 60 --new-tokens 15",
              "prompts of 60 and answers of 15 tokens to fit in the context "
              "of 64");
  dir.write("text.txt", std::string("short"));
  expectError(1, reference + " --prompt-tokens 20 --new-tokens 15",
              "expected at least 20 tokens, but got 5");
}
