// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Tokenizer/Tokenizer.h"
#include "test/lib/TemporaryFolder.h"

#include <nlohmann/json.hpp>
#include <random>

using namespace pmpd;
using namespace pmpd::test;
using Json = nlohmann::json;

namespace {

const std::string Fixtures = PMPD_SOURCE_DIR "/test/lib/tokenizer/";

Json readJson(const std::string &name) {
  std::ifstream stream(Fixtures + name);
  return Json::parse(stream);
}

class TokenizerTest : public TemporaryFolder {
protected:
  /// A fixture after a JSON merge patch.
  std::unique_ptr<Tokenizer> loadChanged(const std::string &base,
                                         const Json &change = Json::object()) {
    Json file = readJson(base);
    file.merge_patch(change);
    return loadText(file.dump());
  }

  std::unique_ptr<Tokenizer> loadText(const std::string &contents) {
    error.clear();
    return Tokenizer::load(write("tokenizer.json", contents), error);
  }

  /// What comes after the path in the error of a fixture after a patch.
  std::string refusal(const Json &change) {
    EXPECT_FALSE(loadChanged("byte-level.json", change)) << change;
    size_t path = pathOf("tokenizer.json").size() + 2;
    return error.size() > path ? error.substr(path) : error;
  }

  std::string error;
};

std::string decodeAll(const Tokenizer &tokenizer,
                      const std::vector<int32_t> &ids) {
  std::string text;
  for (int32_t id : ids)
    text += tokenizer.decode(id);
  return text;
}

std::string randomBytes(std::mt19937 &random, size_t size) {
  std::string bytes(size, '\0');
  for (char &byte : bytes)
    byte = static_cast<char>(random());
  return bytes;
}

/// Characters of all lengths in UTF-8, many of them white space or digits.
std::string randomUnicode(std::mt19937 &random, size_t count) {
  static const char *const parts[] = {
      "a",      "the",    " ",      "  ",         "\n",         "\t", "7",
      "\u00e9", "\u00bd", "\u00a0", "\u4e2d",     "\u3000",     "'s", "_",
      "-",      ".",      "\u0301", "\U0001F600", "\U00010348", "\r", "Z"};
  std::string text;
  for (size_t i = 0; i < count; ++i)
    text += parts[random() % std::size(parts)];
  return text;
}

/// The ids are those of Hugging Face's own library: tokenizer/vectors.mjs.
TEST_F(TokenizerTest, AgreesWithHuggingFace) {
  for (const Json &entry : readJson("vectors.json")) {
    SCOPED_TRACE(entry.at("change").dump());
    auto tokenizer = loadChanged(entry.at("base"), entry.at("change"));
    ASSERT_TRUE(tokenizer) << error;
    for (size_t i = 0; i < entry.at("texts").size(); ++i) {
      std::string text = entry.at("texts")[i];
      EXPECT_EQ(Json(tokenizer->encode(text)), entry.at("ids")[i]) << text;
      EXPECT_EQ(Json(tokenizer->encode(text, true)),
                entry.at("ids_with_special")[i])
          << text;
    }
  }
}

TEST_F(TokenizerTest, ByteLevelRoundTripsAnyBytes) {
  auto tokenizer = loadChanged("byte-level.json");
  ASSERT_TRUE(tokenizer) << error;
  std::mt19937 random(1);
  for (int round = 0; round < 300; ++round)
    for (const std::string &text :
         {randomBytes(random, random() % 200), randomUnicode(random, 50)})
      EXPECT_EQ(decodeAll(*tokenizer, tokenizer->encode(text)), text);
}

TEST_F(TokenizerTest, SentencePieceRoundTripsAnyBytesAfterItsSpace) {
  auto tokenizer = loadChanged("sentencepiece.json");
  ASSERT_TRUE(tokenizer) << error;
  std::mt19937 random(2);
  for (int round = 0; round < 300; ++round)
    for (const std::string &text :
         {randomBytes(random, 1 + random() % 200), randomUnicode(random, 50)})
      EXPECT_EQ(decodeAll(*tokenizer, tokenizer->encode(text)), ' ' + text);
}

TEST_F(TokenizerTest, ShippedTokenizerRoundTrips) {
  auto tokenizer = Tokenizer::load(
      PMPD_SOURCE_DIR "/examples/storybook/tokenizer.json", error);
  ASSERT_TRUE(tokenizer) << error;
  std::string text = "Once upon a time there was a king's daughter.\n";
  std::vector<int32_t> ids = tokenizer->encode(text);
  EXPECT_LT(ids.size(), text.size() / 2);
  EXPECT_EQ(decodeAll(*tokenizer, ids), text);
  EXPECT_TRUE(tokenizer->specialId("<|endoftext|>"));
}

TEST_F(TokenizerTest, SpecialTokensHaveIdsAndNoText) {
  auto tokenizer = loadChanged("byte-level.json");
  ASSERT_TRUE(tokenizer) << error;
  EXPECT_EQ(tokenizer->specialId("<|endoftext|>"), 0);
  EXPECT_EQ(tokenizer->specialId("<tool>"), std::nullopt); // Not special.
  EXPECT_EQ(tokenizer->specialId("the"), std::nullopt);
  EXPECT_EQ(tokenizer->decode(0), "");
  EXPECT_EQ(tokenizer->decode(401), "<tool>");
  EXPECT_EQ(tokenizer->vocabSize(), 406);
  EXPECT_EQ(tokenizer->decode(-1), "");
  EXPECT_EQ(tokenizer->decode(406), "");
}

TEST_F(TokenizerTest, LongWordsTakeLittleTime) {
  auto tokenizer = loadChanged(
      "byte-level.json",
      Json{{"pre_tokenizer", {{"type", "ByteLevel"}, {"use_regex", false}}}});
  ASSERT_TRUE(tokenizer) << error;
  // Quadratic time would take hours.
  std::string text;
  for (int i = 0; i < 200000; ++i)
    text += "there";
  EXPECT_EQ(decodeAll(*tokenizer, tokenizer->encode(text)), ' ' + text);
}

TEST_F(TokenizerTest, UnsupportedComponentsAreNamed) {
  EXPECT_EQ(refusal({{"model", {{"type", "Unigram"}}}}),
            "unsupported model 'Unigram': expected BPE");
  EXPECT_EQ(refusal({{"normalizer", {{"type", "NFKC"}}}}),
            "unsupported normalizer 'NFKC': expected Prepend, Replace or "
            "Sequence");
  EXPECT_EQ(refusal({{"pre_tokenizer", {{"type", "BertPreTokenizer"}}}}),
            "unsupported pre_tokenizer 'BertPreTokenizer': expected ByteLevel, "
            "Digits, Metaspace, Sequence or Split");
  EXPECT_EQ(refusal({{"decoder", {{"type", "CTC"}}}}),
            "unsupported decoder 'CTC': expected ByteFallback, ByteLevel, "
            "Fuse, Metaspace, Replace, Sequence or Strip");
  EXPECT_EQ(refusal({{"post_processor", {{"type", "BertProcessing"}}}}),
            "unsupported post_processor 'BertProcessing': expected ByteLevel, "
            "Sequence or TemplateProcessing");
  EXPECT_EQ(refusal({{"model", {{"end_of_word_suffix", "</w>"}}}}),
            "unsupported end_of_word_suffix of the model: expected none");
  Json split = {{"type", "Split"},
                {"pattern", {{"Regex", "(a"}}},
                {"behavior", "Isolated"}};
  EXPECT_EQ(refusal({{"pre_tokenizer", split}}),
            "malformed regex '(a' at byte 2: missing closing parenthesis");
  split["pattern"]["Regex"] = "[a-z&&[^b]]";
  EXPECT_EQ(refusal({{"pre_tokenizer", split}}),
            "unsupported regex '[a-z&&[^b]]': expected no class intersection "
            "'&&'");
}

TEST_F(TokenizerTest, MalformedFilesAreRefused) {
  EXPECT_EQ(refusal({{"model", {{"merges", {"x y z"}}}}}),
            "merge 'x y z' needs token 'y z', which is not in the vocabulary");
  EXPECT_EQ(refusal({{"model", {{"vocab", {{"x", -1}}}}}}),
            "expected a token id below 4194304, but got -1");
  EXPECT_EQ(refusal({{"model", {{"vocab", {{"x", 4294967296}}}}}}),
            "expected a token id below 4194304, but got 4294967296");
  EXPECT_FALSE(loadText("{"));
  EXPECT_NE(error.find("expected a Hugging Face tokenizer.json"),
            std::string::npos)
      << error;
  EXPECT_FALSE(loadText("[]"));
  EXPECT_FALSE(Tokenizer::load(pathOf("absent"), error));
  EXPECT_NE(error.find("absent: cannot be read: No such file"),
            std::string::npos)
      << error;
}

/// Any file either is refused with a text or gives a usable tokenizer.
TEST_F(TokenizerTest, DamagedFilesNeverCrash) {
  const Json values = {nullptr, true,  -1, 1e300,         "",
                       "x",     "[ab", {}, Json::array(), 4294967297,
                       "\u2581"};
  std::mt19937 random(3);
  int loaded = 0, refused = 0;
  for (const char *base : {"byte-level.json", "sentencepiece.json"}) {
    const Json file = readJson(base);
    const std::string text = file.dump();
    // The vocabulary would take nearly all hits.
    Json components = file.flatten();
    std::vector<std::string> pointers;
    for (const auto &[pointer, value] : components.items())
      if (pointer.compare(0, 12, "/model/vocab") != 0 &&
          pointer.compare(0, 13, "/model/merges") != 0)
        pointers.push_back(pointer);
    for (int round = 0; round < 400; ++round) {
      std::string damaged = text;
      if (round % 2) {
        damaged[random() % damaged.size()] = static_cast<char>(random());
      } else {
        Json changed = file;
        for (int i = 0; i < 2; ++i) {
          Json::json_pointer at(pointers[random() % pointers.size()]);
          while (random() % 3 == 0 && !at.parent_pointer().empty())
            at.pop_back();
          if (changed.contains(at))
            changed[at] = values[random() % values.size()];
        }
        damaged = changed.dump();
      }
      auto tokenizer = loadText(damaged);
      tokenizer ? ++loaded : ++refused;
      EXPECT_EQ(!tokenizer, !error.empty());
      if (tokenizer)
        for (int32_t id :
             tokenizer->encode("The king\u00e9 <mask> 12  .", true))
          tokenizer->decode(id);
    }
  }
  EXPECT_GT(loaded, 50);
  EXPECT_GT(refused, 50);
}

} // namespace
