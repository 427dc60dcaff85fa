// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the tools that run compiled models share: how they fail, their common
// options, and a model opened with its tokenizer.
#ifndef PMPD_TOOLS_SUPPORT_TOOL_H
#define PMPD_TOOLS_SUPPORT_TOOL_H

#include "lib/Tokenizer/Tokenizer.h"
#include "pmpd/runtime.h"
#include "tools/support/CommandLine.h"

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

/// The token that greedy decoding chooses by logits [vocab]. Throws ToolError
/// if none is finite.
int32_t likeliest(const std::vector<float> &logits);

/// Reads a whole file, standard input for "-". Throws ToolError.
std::string readText(const std::string &path);

/// Writes a whole file under another name and renames it, so that nobody sees
/// half of it. Throws ToolError.
void writeText(const std::string &path, const std::string &text);

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
  bool trace = false;       ///< sessions record what runs when; not an option
  bool anyContents = false; ///< weights may be others; not an option
  pmpd_npu_mode npuMode = PMPD_NPU_MODE_BOTH;
  std::string npuConfig; ///< empty = what the model was compiled for
  int32_t gpu = 0;

  void addTo(CLI::App &app);

  /// Throws CLI::ValidationError if the options leave out results.
  void requireResults() const;
};

struct CloseSession {
  void operator()(pmpd_session *session) const {
    pmpd_session_destroy(session);
  }
};
using SessionPtr = std::unique_ptr<pmpd_session, CloseSession>;

/// Sets a schedule, and the highest prefill bits where it names none. Throws
/// ToolError.
void setSchedule(pmpd_session *session, const std::string &schedule);

/// An open model. Throws ToolError where opening fails.
class OpenModel {
public:
  explicit OpenModel(const ModelArgs &args);

  const pmpd_model_desc &desc() const {
    return *pmpd_model_describe(handle.get());
  }

  /// What the weights are known by, in hexadecimal digits.
  std::string digest() const;

  /// The model's tokenizer, read at the first use. Throws ToolError if the
  /// model has none.
  const Tokenizer &tokenizer();

  /// A session as the options say. Throws ToolError.
  SessionPtr createSession() { return createSession(args.threads); }

  /// The same with other threads.
  SessionPtr createSession(int32_t threads);

  /// As the options say; 0 = all CPUs.
  int32_t threads() const { return args.threads; }

  /// Whether a phase was compiled at these bits.
  bool has(pmpd_phase phase, int32_t bits) const;

  /// The schedule that keeps to `bits`, for the prompt as well if prefill was
  /// compiled at them.
  std::string uniformSchedule(int32_t bits) const;

  /// Bits that a phase was compiled at, from high to low.
  std::vector<int32_t> bits(pmpd_phase phase) const;

  /// Most tokens a session holds.
  int64_t context() const {
    return args.context ? args.context : desc().context;
  }

  /// What texts begin with in training: the tokenizer's own first token, else
  /// <|endoftext|>, else none.
  std::vector<int32_t> beginTokens();

  /// Tokens that end a text.
  std::vector<int32_t> endTokens();

  const ModelArgs &options() const { return args; }

private:
  struct CloseModel {
    void operator()(pmpd_model *model) const { pmpd_model_close(model); }
  };
  ModelArgs args;
  std::unique_ptr<pmpd_model, CloseModel> handle;
  std::unique_ptr<Tokenizer> loadedTokenizer;
};

/// Opens the model that `model` is compared with, under its options. Throws
/// ToolError if the two do not share a vocabulary or the context is too short.
OpenModel openReference(const std::string &directory, const OpenModel &model);

} // namespace pmpd::tools

#endif // PMPD_TOOLS_SUPPORT_TOOL_H
