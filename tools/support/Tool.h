// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the tools that run compiled models share: how they fail, their common
// options, and a model opened with its tokenizer.
#ifndef PMPD_TOOLS_SUPPORT_TOOL_H
#define PMPD_TOOLS_SUPPORT_TOOL_H

#include "lib/Tokenizer/Tokenizer.h"
#include "pmpd/runtime.h"

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace pmpd::tools {

/// A failure at run time; its text is for the user. Exit code 1.
struct ToolError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Throws the last error of the runtime unless `status` is PMPD_OK.
void check(pmpd_status status);

/// Parses the command line and runs `body`. Returns the exit code: 0, what
/// body returns, 1 for a ToolError, 2 for a wrong command line.
int runTool(CLI::App &app, int argc, char **argv,
            const std::function<int()> &body);

/// Reads a whole file, standard input for "-". Throws ToolError.
std::string readText(const std::string &path);

/// Accepts whole numbers of at least 0.
CLI::Validator countValidator();

/// Adds --schedule, which takes what pmpd_session_set_scheduler does, and the
/// list of policies below the help text; a bad text is a wrong command line.
/// `take` is called once per occurrence.
CLI::Option *addScheduleOption(CLI::App &app,
                               const std::function<void(std::string)> &take);

/// Options that every tool which opens a model has.
struct ModelArgs {
  std::string directory;
  int32_t threads = 0;
  int32_t context = 0;
  bool verify = false;

  void addTo(CLI::App &app);
};

struct CloseSession {
  void operator()(pmpd_session *session) const {
    pmpd_session_destroy(session);
  }
};
using SessionPtr = std::unique_ptr<pmpd_session, CloseSession>;

/// An open model. Throws ToolError where opening fails.
class OpenModel {
public:
  explicit OpenModel(const ModelArgs &args);

  const pmpd_model_desc &desc() const {
    return *pmpd_model_describe(handle.get());
  }

  /// The model's tokenizer, read at the first use. Throws ToolError if the
  /// model has none.
  const Tokenizer &tokenizer();

  /// A session as the options say. Throws ToolError.
  SessionPtr createSession();

  /// What texts begin with in training: the tokenizer's own first token, else
  /// <|endoftext|>, else none.
  std::vector<int32_t> beginTokens();

  /// Tokens that end a text.
  std::vector<int32_t> endTokens();

private:
  struct CloseModel {
    void operator()(pmpd_model *model) const { pmpd_model_close(model); }
  };
  ModelArgs args;
  std::unique_ptr<pmpd_model, CloseModel> handle;
  std::unique_ptr<Tokenizer> loadedTokenizer;
};

} // namespace pmpd::tools

#endif // PMPD_TOOLS_SUPPORT_TOOL_H
