// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/evaluation/Prompts.h"
#include "test/runtime/Fixture.h"

#include <random>

using namespace pmpd::test;
using namespace pmpd::tools;

namespace {

class PromptsTest : public ::testing::Test {
protected:
  PromptsTest() {
    writeFakeDirectory(dir);
    ModelArgs options;
    options.directory = dir.path();
    model = std::make_unique<OpenModel>(options);
    args.promptTokens = 3;
    args.newTokens = 2;
  }

  std::vector<Prompt> read(const std::string &name, const std::string &text) {
    args.file = dir.write(name, text);
    return readPrompts(args, *model);
  }

  void expectRefused(const std::string &name, const std::string &text,
                     const std::string &part) {
    try {
      read(name, text);
      ADD_FAILURE() << "expected an error about " << part;
    } catch (const ToolError &error) {
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos)
          << error.what();
    }
  }

  TempDir dir;
  std::unique_ptr<OpenModel> model;
  PromptArgs args;
};

using Tokens = std::vector<int32_t>;

} // namespace

TEST_F(PromptsTest, cuts_a_text_without_overlap) {
  std::vector<Prompt> prompts = read("a.txt", "abcdefghijklmn");
  ASSERT_EQ(prompts.size(), 2u); // and four letters that are too few
  EXPECT_EQ(prompts[0].tokens, (Tokens{0, 3, 4, 5}));
  EXPECT_EQ(prompts[0].answer, (Tokens{6, 7}));
  EXPECT_EQ(prompts[0].reference, "de");
  EXPECT_EQ(prompts[1].tokens, (Tokens{0, 8, 9, 10}));
  EXPECT_EQ(prompts[1].reference, "ij");
}

TEST_F(PromptsTest, takes_stretches_at_equal_distances) {
  args.most = 3;
  std::vector<Prompt> prompts = read("a.txt", "aaaaabbbbbcccccdddddeeeeefffff");
  ASSERT_EQ(prompts.size(), 3u);
  EXPECT_EQ(prompts[0].reference, "aa");
  EXPECT_EQ(prompts[1].reference, "cc");
  EXPECT_EQ(prompts[2].reference, "ee");
}

TEST_F(PromptsTest, reads_one_object_per_line) {
  std::vector<Prompt> prompts =
      read("a.jsonl", "{\"prompt\": \"ab\", \"reference\": \"cde\"}\r\n\n"
                      "{\"prompt\": \"f\", \"id\": 7}\n");
  ASSERT_EQ(prompts.size(), 2u);
  EXPECT_EQ(prompts[0].tokens, (Tokens{0, 3, 4}));
  EXPECT_EQ(prompts[0].reference, "cde"); // ROUGE-L is against all of it
  EXPECT_EQ(prompts[0].answer, (Tokens{5, 6}));
  EXPECT_EQ(prompts[1].tokens, (Tokens{0, 8}));
  EXPECT_EQ(prompts[1].reference, "");
  EXPECT_TRUE(prompts[1].answer.empty());
  args.most = 1;
  EXPECT_EQ(read("a.jsonl", "{\"prompt\": \"a\"}\nnonsense\n").size(), 1u);
}

TEST_F(PromptsTest, says_what_is_wrong_and_where) {
  expectRefused("a.txt", "abcd", "expected at least 5 tokens");
  expectRefused("a.jsonl", "", "expected at least one prompt");
  expectRefused("a.jsonl", "{\"prompt\": \"a\"}\n{}\n",
                "a.jsonl:2: expected a JSON object with a \"prompt\"");
  expectRefused("a.jsonl", "{\"prompt\": 3}\n",
                "a.jsonl:1: expected a text for \"prompt\"");
  expectRefused("a.jsonl", "{\"prompt\": \"a\", \"reference\": []}\n",
                "expected a text for \"reference\"");
  args.newTokens = 60;
  expectRefused("a.jsonl", "{\"prompt\": \"abcdef\"}\n",
                "prompt 1 has 7; lower --new-tokens");
  args.file = dir.path("nowhere.txt");
  EXPECT_THROW(readPrompts(args, *model), ToolError);
}

TEST_F(PromptsTest, survives_any_bytes) {
  const std::string whole = "{\"prompt\": \"the fox\", \"reference\": \"a\"}\n"
                            "{\"prompt\": \"dog \\u00e9\"}\n";
  std::mt19937 random(11);
  for (int round = 0; round < 500; ++round) {
    std::string mutated = whole;
    for (int edits = 1 + int(random() % 4); edits > 0; --edits) {
      size_t at = random() % mutated.size();
      const char *parts[] = {"{", "}", "[", "null", "\"", "\n", "\\ud800"};
      if (random() % 2)
        mutated[at] = char(random());
      else
        mutated.insert(at, parts[random() % 7]);
    }
    for (const char *name : {"a.jsonl", "a.txt"}) {
      try {
        for (const Prompt &prompt : read(name, mutated))
          EXPECT_FALSE(prompt.tokens.empty());
      } catch (const ToolError &error) {
        EXPECT_NE(std::string(error.what()).find("expected"),
                  std::string::npos);
      }
    }
  }
}
