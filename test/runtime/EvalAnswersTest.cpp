// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/runtime/Command.h"

#include <functional>
#include <nlohmann/json.hpp>

using namespace pmpd::test;

namespace {

class EvalAnswersTest : public ::testing::Test {
protected:
  EvalAnswersTest() {
    writeFakeDirectory(model);
    dir.write("p.jsonl", std::string(R"({"prompt": "the fox", "reference": "a"}
{"prompt": "some dogs", "reference": "b c"}
{"prompt": "it is"}
)"));
  }

  Command eval(const std::string &arguments) {
    return runCommand(PMPD_EVAL " -m " + model.path() + " --prompts " +
                      dir.path("p.jsonl") + " --new-tokens 16 " + arguments);
  }

  nlohmann::json evalJson(const std::string &arguments) {
    Command command = eval(arguments + " --json");
    EXPECT_EQ(command.exitCode, 0) << command.error;
    return nlohmann::json::parse(command.out);
  }

  /// Tokens of the greedy answers up to <|endoftext|>.
  static int64_t expectedTokens(int32_t prefill,
                                std::function<int32_t(int64_t)> bits) {
    int64_t tokens = 0;
    for (std::string prompt : {"the fox", "some dogs", "it is"}) {
      std::vector<int32_t> given = {0};
      for (char letter : prompt)
        given.push_back(letter == ' ' ? 1 : letter - 'a' + 3);
      Reference reference;
      int32_t next = argmax(reference.run(PMPD_PREFILL, prefill, given));
      for (int64_t index = 1; next != 0; ++index) {
        ++tokens;
        if (index == 16)
          break;
        next = argmax(reference.run(PMPD_DECODE, bits(index), {next}));
      }
    }
    return tokens;
  }

  TempDir dir, model;
};

} // namespace

TEST_F(EvalAnswersTest, answers_under_every_schedule) {
  nlohmann::json rows = evalJson("--schedule 4@0,2@8 --bits 3");
  ASSERT_EQ(rows.size(), 2u);
  const nlohmann::json &mixed = rows[0]["answers"], &three = rows[1]["answers"];
  EXPECT_EQ(mixed["tokens"],
            expectedTokens(4, [](int64_t index) { return index < 8 ? 4 : 2; }));
  EXPECT_EQ(three["tokens"], expectedTokens(3, [](int64_t) { return 3; }));
  EXPECT_EQ(mixed["prefill_bits"], 4);
  EXPECT_EQ(three["prefill_bits"], 3);
  EXPECT_EQ(three["average_bits"]["mean"], 3.0);
  EXPECT_EQ(three["average_bits"]["low"], 3.0);
  EXPECT_EQ(three["references"], 2);
  EXPECT_FALSE(three.contains("rouge_l_model"));
}

TEST_F(EvalAnswersTest, a_model_agrees_with_itself) {
  nlohmann::json rows = evalJson("--reference " + model.path() +
                                 " --schedule 4@0 --schedule 4/2@0");
  EXPECT_EQ(rows[0]["answers"]["rouge_l_model"]["mean"], 1.0);
  double rouge = rows[1]["answers"]["rouge_l_model"]["mean"];
  EXPECT_LT(rouge, 1.0);
  EXPECT_EQ(rows[0]["answers"]["rouge_l_model_gain"]["high"], 0.0);
  EXPECT_NEAR(rows[1]["answers"]["rouge_l_model_gain"]["mean"], rouge - 1,
              1e-12);
  EXPECT_GT(rows[1]["answers"]["kl"], 1e-3);
}

TEST_F(EvalAnswersTest, do_not_depend_on_the_threads) {
  const std::string arguments = "--reference " + model.path() +
                                " --schedule random --schedule confidence:"
                                "tokens=3,sigma=0.5";
  nlohmann::json one = evalJson("-t 1 " + arguments),
                 three = evalJson("-t 3 " + arguments);
  for (nlohmann::json *rows : {&one, &three})
    for (nlohmann::json &row : *rows)
      row["answers"].erase("tokens_per_second");
  EXPECT_EQ(one, three);
}

TEST_F(EvalAnswersTest, goes_on_with_a_journal) {
  dir.write("t.txt",
            std::string("the quick brown fox jumps over the lazy dog"));
  const std::string journal = dir.path("journal"),
                    arguments = "--json --schedule 4@0,2@8 --window 9 "
                                "--reference " +
                                model.path() + " -f " + dir.path("t.txt");
  nlohmann::json whole = evalJson(arguments);
  // Everything is measured, but the result cannot be written.
  Command failed =
      runCommand("(" PMPD_EVAL " -m " + model.path() + " -p " +
                 dir.path("p.jsonl") + " --new-tokens 16 " + arguments +
                 " --journal " + journal + " > /dev/full)");
  EXPECT_EQ(failed.exitCode, 1);
  EXPECT_NE(failed.error.find("cannot write"), std::string::npos);
  std::ifstream stream(journal);
  std::string kept, first;
  std::getline(stream, first);
  for (std::string line; std::getline(stream, line);) {
    nlohmann::json entry = nlohmann::json::parse(line);
    if (entry[0] == "windows 0") // marks what is taken from the journal
      entry[1][0] = double(entry[1][0]) + 1000;
    kept += entry.dump() + "\n";
  }
  dir.write("journal", first + "\n" + kept);
  nlohmann::json again = evalJson(arguments + " --journal " + journal);
  EXPECT_FALSE(std::filesystem::exists(journal));
  EXPECT_NEAR(again[0]["nats"], double(whole[0]["nats"]) + 1000, 1e-6);
  for (nlohmann::json *rows : {&whole, &again})
    (*rows)[0]["answers"].erase("tokens_per_second");
  EXPECT_EQ(again[0]["answers"], whole[0]["answers"]);
}

TEST_F(EvalAnswersTest, prints_a_table) {
  Command command = eval("--schedule 4@0 --reference " + model.path());
  EXPECT_EQ(command.exitCode, 0) << command.error;
  for (const char *part : {"ROUGE-L to the model", "ROUGE-L to the texts", "kl",
                           "1.0000 [1.0000, 1.0000]"})
    EXPECT_NE(command.out.find(part), std::string::npos) << command.out;
}

TEST_F(EvalAnswersTest, texts_and_prompts_go_together) {
  dir.write("t.txt", std::string("the quick brown fox"));
  nlohmann::json rows = evalJson("--schedule 4@0 -f " + dir.path("t.txt"));
  EXPECT_EQ(rows[0]["tokens"], 19);
  EXPECT_TRUE(rows[0].contains("answers"));
}

TEST_F(EvalAnswersTest, refuses_what_it_cannot_compare) {
  EXPECT_EQ(eval("--schedule 4@0 --reference /nonexistent").exitCode, 1);
  EXPECT_EQ(eval("--schedule 4@0 --new-tokens x").exitCode, 2);
  EXPECT_EQ(eval("--schedule 4@0 --max-prompts 0").exitCode, 2);
  EXPECT_EQ(eval("--schedule 4@0 -f - --journal x").exitCode, 2);
  Command command = eval("--schedule 4@0 --ctx 20");
  EXPECT_EQ(command.exitCode, 1);
  EXPECT_NE(command.error.find("lower --new-tokens"), std::string::npos);
}
