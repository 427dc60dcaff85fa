// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/runtime/Command.h"

#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>

using namespace pmpd::test;

namespace {

class EvalCommandTest : public ::testing::Test {
protected:
  EvalCommandTest() {
    writeFakeDirectory(dir);
    dir.write("text.txt", text);
  }

  Command eval(const std::string &arguments) {
    return runCommand(PMPD_EVAL " -t 1 -m " + dir.path() + " -f " +
                      dir.path("text.txt") + " " + arguments);
  }

  nlohmann::json evalJson(const std::string &arguments) {
    Command command = eval(arguments + " --json");
    EXPECT_EQ(command.exitCode, 0) << command.error;
    return nlohmann::json::parse(command.out);
  }

  /// Negative log likelihood of the text in windows of `window` tokens, each
  /// after <|endoftext|>, at the bits of each index; -1 runs all in prefill.
  double expectedNats(size_t window, int32_t prefill,
                      std::function<int32_t(int64_t)> bits) {
    double nats = 0;
    for (size_t begin = 0; begin < text.size(); begin += window) {
      Reference reference;
      std::vector<float> logits = reference.run(PMPD_PREFILL, prefill, {0});
      size_t end = std::min(begin + window, text.size());
      for (size_t at = begin; at < end; ++at) {
        int32_t token = text[at] == ' ' ? 1 : text[at] - 'a' + 3;
        double sum = 0;
        for (float logit : logits)
          sum += std::exp(double(logit));
        nats += std::log(sum) - logits[token];
        int32_t next = bits(int64_t(at - begin) + 1);
        logits = next < 0 ? reference.run(PMPD_PREFILL, prefill, {token})
                          : reference.run(PMPD_DECODE, next, {token});
      }
    }
    return nats;
  }

  TempDir dir;
  const std::string text = "the quick brown fox jumps over the lazy dog again";
};

} // namespace

TEST_F(EvalCommandTest, scores_fixed_bits_by_prefill) {
  nlohmann::json rows = evalJson("--bits 4 --bits 3 --window 16");
  ASSERT_EQ(rows.size(), 2u);
  for (int32_t bits : {4, 3}) {
    const nlohmann::json &row = rows[4 - bits];
    EXPECT_EQ(row["by"], "prefill");
    EXPECT_EQ(row["tokens"], text.size());
    EXPECT_EQ(row["bytes"], text.size());
    EXPECT_EQ(row["words"], 10);
    EXPECT_EQ(row["average_bits"], double(bits));
    double nats = expectedNats(16, bits, [](int64_t) { return -1; });
    EXPECT_NEAR(row["nats"], nats, 1e-6 * nats);
    EXPECT_NEAR(row["perplexity"], std::exp(nats / text.size()), 1e-6);
    EXPECT_NEAR(row["word_perplexity"], std::exp(nats / 10),
                1e-4 * std::exp(nats / 10));
    EXPECT_NEAR(row["bits_per_byte"], nats / std::log(2) / text.size(), 1e-6);
  }
}

TEST_F(EvalCommandTest, scores_a_schedule_as_it_would_be_generated) {
  nlohmann::json rows = evalJson("--schedule 4@0,3@5,2@10 --window 16");
  double nats = expectedNats(16, 4, [](int64_t index) {
    return index < 5 ? 4 : index < 10 ? 3 : 2;
  });
  EXPECT_EQ(rows[0]["by"], "decode");
  EXPECT_NEAR(rows[0]["nats"], nats, 1e-6 * nats);
}

TEST_F(EvalCommandTest, bits_without_a_prefill_region_are_decoded) {
  nlohmann::json rows = evalJson("--bits 2 --schedule 2@0");
  EXPECT_EQ(rows[0]["by"], "decode");
  EXPECT_EQ(rows[0]["nats"], rows[1]["nats"]);
}

TEST_F(EvalCommandTest, keeps_the_order_of_the_settings) {
  nlohmann::json rows = evalJson("--schedule 3@0 --bits 4 --schedule 2@0");
  EXPECT_EQ(rows[0]["schedule"], "3@0");
  EXPECT_EQ(rows[1]["schedule"], "4/4@0");
  EXPECT_EQ(rows[2]["schedule"], "2@0");
}

TEST_F(EvalCommandTest, scores_only_the_first_tokens_if_asked) {
  EXPECT_EQ(evalJson("--bits 4 --max-tokens 7")[0]["tokens"], 7);
}

TEST_F(EvalCommandTest, prints_a_table) {
  Command command = eval("--bits 4 --schedule 4@0,2@8");
  EXPECT_EQ(command.exitCode, 0) << command.error;
  EXPECT_NE(command.out.find("ppl/token"), std::string::npos);
  EXPECT_NE(command.out.find("4@0,2@8"), std::string::npos);
}

TEST_F(EvalCommandTest, refuses_a_wrong_command_line) {
  EXPECT_EQ(eval("").exitCode, 2);
  EXPECT_EQ(eval("--bits 3x").exitCode, 2);
  EXPECT_EQ(eval("--bits 4 --window x").exitCode, 2);
  EXPECT_EQ(eval("--schedule 4").exitCode, 2);
}

TEST_F(EvalCommandTest, reports_what_fails_at_run_time) {
  EXPECT_EQ(eval("--schedule 7@0").exitCode, 1);
  Command window = eval("--bits 4 --window 65");
  EXPECT_EQ(window.exitCode, 1);
  EXPECT_NE(window.error.find("context of 64"), std::string::npos);
  dir.write("text.txt", std::string());
  EXPECT_EQ(eval("--bits 4").exitCode, 1);
}
