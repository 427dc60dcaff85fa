// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/evaluation/Prompts.h"

#include <nlohmann/json.hpp>
#include <sstream>

using namespace pmpd::tools;

namespace {

bool isJsonLines(const std::string &path) {
  const std::string end = ".jsonl";
  return path.size() >= end.size() &&
         path.compare(path.size() - end.size(), end.size(), end) == 0;
}

/// The text of a member, "" if it is absent.
std::string member(const nlohmann::json &json, const char *key,
                   const std::string &place) {
  auto found = json.find(key);
  if (found == json.end())
    return "";
  if (!found->is_string())
    throw ToolError(place + ": expected a text for \"" + key + "\"");
  return *found;
}

std::vector<Prompt> readLines(const PromptArgs &args, OpenModel &model) {
  std::istringstream stream(readText(args.file));
  std::vector<Prompt> prompts;
  int64_t number = 0;
  for (std::string line;
       int64_t(prompts.size()) < args.most && std::getline(stream, line);) {
    const std::string place = args.file + ":" + std::to_string(++number);
    if (line.find_first_not_of(" \t\r") == std::string::npos)
      continue;
    nlohmann::json json = nlohmann::json::parse(line, nullptr, false);
    if (!json.is_object() || !json.contains("prompt"))
      throw ToolError(place + ": expected a JSON object with a \"prompt\"");
    Prompt prompt;
    prompt.tokens = model.beginTokens();
    for (int32_t token :
         model.tokenizer().encode(member(json, "prompt", place)))
      prompt.tokens.push_back(token);
    prompt.reference = member(json, "reference", place);
    prompt.answer = model.tokenizer().encode(prompt.reference);
    if (int64_t(prompt.answer.size()) > args.newTokens)
      prompt.answer.resize(args.newTokens);
    if (prompt.tokens.empty())
      throw ToolError(place + ": expected a prompt that is not empty");
    prompts.push_back(std::move(prompt));
  }
  return prompts;
}

std::vector<Prompt> cutText(const PromptArgs &args, OpenModel &model) {
  const std::vector<int32_t> text =
      model.tokenizer().encode(readText(args.file));
  const int64_t each = args.promptTokens + args.newTokens;
  const int64_t stretches = int64_t(text.size()) / each;
  if (stretches == 0)
    throw ToolError(args.file + ": expected at least " + std::to_string(each) +
                    " tokens, a prompt and its answer, but got " +
                    std::to_string(text.size()));
  std::vector<Prompt> prompts;
  const int64_t count = std::min(args.most, stretches);
  for (int64_t i = 0; i < count; ++i) {
    auto at = text.begin() + i * stretches / count * each;
    Prompt prompt;
    prompt.tokens = model.beginTokens();
    prompt.tokens.insert(prompt.tokens.end(), at, at + args.promptTokens);
    prompt.answer.assign(at + args.promptTokens, at + each);
    for (int32_t token : prompt.answer)
      prompt.reference += model.tokenizer().decode(token);
    prompts.push_back(std::move(prompt));
  }
  return prompts;
}

/// So that sums of two do not overflow.
constexpr int64_t kMost = int64_t(1) << 40;

} // namespace

CLI::Option *PromptArgs::addTo(CLI::App &app, const std::string &flag) {
  app.add_option("--prompt-tokens", promptTokens,
                 "length of prompts cut from a text")
      ->capture_default_str()
      ->check(wholeNumber(1, kMost))
      ->type_name("N");
  app.add_option("--new-tokens", newTokens, "most tokens of an answer")
      ->capture_default_str()
      ->check(wholeNumber(1, kMost))
      ->type_name("N");
  app.add_option("--max-prompts", most, "take at most so many prompts")
      ->capture_default_str()
      ->check(wholeNumber(1, kMost))
      ->type_name("N");
  return app
      .add_option(flag, file,
                  "prompts: a text to cut into prompts and references, or "
                  "*.jsonl with a \"prompt\" and maybe a \"reference\" on each "
                  "line")
      ->type_name("FILE");
}

std::vector<Prompt> pmpd::tools::readPrompts(const PromptArgs &args,
                                             OpenModel &model) {
  std::vector<Prompt> prompts =
      isJsonLines(args.file) ? readLines(args, model) : cutText(args, model);
  if (prompts.empty())
    throw ToolError(args.file + ": expected at least one prompt");
  for (size_t i = 0; i < prompts.size(); ++i) {
    // The last token of an answer is not decoded.
    int64_t needed = int64_t(prompts[i].tokens.size()) + args.newTokens - 1;
    if (needed > model.context())
      throw ToolError(args.file + ": expected prompts that leave room for " +
                      std::to_string(args.newTokens) +
                      " tokens in a context of " +
                      std::to_string(model.context()) + ", but prompt " +
                      std::to_string(i + 1) + " has " +
                      std::to_string(prompts[i].tokens.size()) +
                      "; lower --new-tokens or --prompt-tokens");
  }
  return prompts;
}
