// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_TOOLS_EVALUATION_PROMPTS_H
#define PMPD_TOOLS_EVALUATION_PROMPTS_H

#include "tools/support/Tool.h"

namespace pmpd::tools {

/// One question to the model and the text it could be answered with.
struct Prompt {
  std::vector<int32_t> tokens; // begin of text included
  std::string reference;       // "" if there is none
  std::vector<int32_t> answer; // the reference's first newTokens tokens
};

/// Where prompts come from and how long they and their answers are.
struct PromptArgs {
  std::string file;
  int64_t promptTokens = 64;
  int64_t newTokens = 96;
  int64_t most = 200;

  /// Adds the options; `flag` is the file's, as in "-p,--prompts".
  CLI::Option *addTo(CLI::App &app, const std::string &flag);
};

/// Reads prompts. A file named *.jsonl has one JSON object per line, with a
/// text "prompt" and, if there is one, a text "reference". Any other file is a
/// text: it is cut, from its beginning and without overlap, into stretches of
/// promptTokens + newTokens, whose parts are prompt and reference; of these,
/// `most` are taken at equal distances. Throws ToolError if the file gives no
/// prompt or one that, with its answer, exceeds the context.
std::vector<Prompt> readPrompts(const PromptArgs &args, OpenModel &model);

} // namespace pmpd::tools

#endif // PMPD_TOOLS_EVALUATION_PROMPTS_H
