// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/support/Tool.h"

#include "runtime/OutputFile.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <map>

using namespace pmpd;
using namespace pmpd::tools;

void pmpd::tools::check(pmpd_status status) {
  if (status != PMPD_OK)
    throw ToolError(pmpd_last_error());
}

int32_t pmpd::tools::likeliest(const std::vector<float> &logits) {
  const pmpd_sampling greedy = {0.0f, 0, 1.0f, 0};
  uint64_t state = 0;
  int32_t token;
  check(pmpd_sample(logits.data(), int32_t(logits.size()), &greedy, &state,
                    &token));
  return token;
}

std::string pmpd::tools::readText(const std::string &path) {
  std::FILE *file = path == "-" ? stdin : std::fopen(path.c_str(), "rb");
  std::string text;
  char block[1 << 16];
  while (size_t bytes = file ? std::fread(block, 1, sizeof block, file) : 0)
    text.append(block, bytes);
  int error = !file || std::ferror(file) ? errno : 0;
  if (file && path != "-")
    std::fclose(file);
  if (error != 0)
    throw ToolError((path == "-" ? "standard input" : path) +
                    ": cannot read: " + std::strerror(error));
  return text;
}

void pmpd::tools::writeText(const std::string &path, const std::string &text) {
  check(rt::writeFile(path, text));
}

CLI::Option *
pmpd::tools::addScheduleOption(CLI::App &app,
                               const std::function<void(std::string)> &take) {
  std::string policies = "\nA schedule is [PREFILL_BITS/]POLICY, or @FILE as "
                         "pmpd-tune writes it.\nPolicies:\n";
  for (size_t i = 0; const pmpd_scheduler_info *info = pmpd_scheduler_at(i);
       ++i)
    policies +=
        std::string("  ") + info->syntax + "\n      " + info->summary + "\n";
  app.footer(policies);
  auto parse = [take](const std::string &text) {
    // A file that is wrong is not a wrong command line.
    if (text.rfind('@', 0) != 0 &&
        pmpd_scheduler_check(text.c_str()) != PMPD_OK)
      throw CLI::ValidationError("--schedule", pmpd_last_error());
    take(text);
  };
  return app
      .add_option_function<std::string>(
          "--schedule", parse,
          "which bits each token uses, as in 4@0,3@64,2@160; see below")
      ->type_name("SCHEDULE");
}

void ModelArgs::addTo(CLI::App &app) {
  app.add_option("-m,--model", directory, "directory that pmpd-compile wrote")
      ->required()
      ->type_name("DIR");
  app.add_option("-t,--threads", threads, "threads; 0 = all CPUs")
      ->check(wholeNumber(0, INT32_MAX))
      ->type_name("N");
  app.add_option("--ctx", context, "most tokens held; 0 = as compiled")
      ->check(wholeNumber(0, INT32_MAX))
      ->type_name("N");
  app.add_flag("--verify", verify, "check every byte of the weights first");
  app.add_option("--gpu", gpu,
                 "for a model for GPUs: which of those that "
                 "CUDA_VISIBLE_DEVICES shows (default: 0)")
      ->check(wholeNumber(0, INT32_MAX))
      ->type_name("N");
  const std::map<std::string, pmpd_npu_mode> modes = {
      {"both", PMPD_NPU_MODE_BOTH},
      {"functional", PMPD_NPU_MODE_FUNCTIONAL},
      {"timing", PMPD_NPU_MODE_TIMING}};
  app.add_option("--npu-mode", npuMode,
                 "what to simulate of a model for the NPU: functional, its "
                 "results; timing, how long it takes; both (default)")
      ->transform(oneOf(modes))
      ->type_name("MODE");
  app.add_option("--npu-config", npuConfig,
                 "the NPU to simulate: ref, edge or a JSON file (default: the "
                 "one compiled for)")
      ->type_name("NAME|FILE");
}

void ModelArgs::requireResults() const {
  if (npuMode == PMPD_NPU_MODE_TIMING)
    throw CLI::ValidationError("--npu-mode", "expected both or functional, as "
                                             "there are no results to measure "
                                             "with timing");
}

OpenModel::OpenModel(const ModelArgs &args) : args(args) {
  pmpd_model_options options = PMPD_MODEL_OPTIONS_INIT;
  if (args.anyContents)
    options.verify = PMPD_VERIFY_TABLE;
  if (args.verify)
    options.verify = PMPD_VERIFY_FULL;
  options.gpu = args.gpu;
  pmpd_model *opened = nullptr;
  check(pmpd_model_open_directory(args.directory.c_str(), &options, &opened));
  handle.reset(opened);
}

void pmpd::tools::setSchedule(pmpd_session *session,
                              const std::string &schedule) {
  check(pmpd_session_set_prefill_bits(session, 0));
  check(pmpd_session_set_scheduler(session, schedule.c_str()));
}

std::string OpenModel::digest() const {
  const char *digits = "0123456789abcdef";
  std::string text;
  for (uint8_t byte : desc().weights_digest)
    text += {digits[byte >> 4], digits[byte & 15]};
  return text;
}

const Tokenizer &OpenModel::tokenizer() {
  if (!loadedTokenizer) {
    const char *path = pmpd_model_tokenizer(handle.get());
    if (!path)
      throw ToolError(args.directory + ": the model has no tokenizer; compile "
                                       "it with --tokenizer");
    std::string error;
    loadedTokenizer = Tokenizer::load(path, error);
    if (!loadedTokenizer)
      throw ToolError(error);
  }
  return *loadedTokenizer;
}

SessionPtr OpenModel::createSession(int32_t threads) {
  pmpd_session_options options = PMPD_SESSION_OPTIONS_INIT;
  options.threads = threads;
  options.context = args.context;
  options.trace = args.trace;
  options.npu_mode = args.npuMode;
  options.npu_config =
      args.npuConfig.empty() ? nullptr : args.npuConfig.c_str();
  pmpd_session *session = nullptr;
  check(pmpd_session_create(handle.get(), &options, &session));
  SessionPtr created(session);
  pmpd_npu_stats npu;
  if ((args.npuMode != PMPD_NPU_MODE_BOTH || !args.npuConfig.empty()) &&
      pmpd_session_npu_stats(session, &npu) != PMPD_OK)
    throw ToolError(args.directory +
                    ": --npu-mode and --npu-config are for a model compiled "
                    "with --target npu, but this one is for another target");
  return created;
}

std::vector<int32_t> OpenModel::bits(pmpd_phase phase) const {
  std::vector<int32_t> found;
  for (int32_t i = 0; i < desc().region_count; ++i)
    if (desc().regions[i].phase == phase)
      found.push_back(desc().regions[i].bits);
  std::sort(found.rbegin(), found.rend());
  return found;
}

bool OpenModel::has(pmpd_phase phase, int32_t bits) const {
  const std::vector<int32_t> compiled = this->bits(phase);
  return std::find(compiled.begin(), compiled.end(), bits) != compiled.end();
}

std::string OpenModel::uniformSchedule(int32_t bits) const {
  const std::string text = std::to_string(bits);
  return (has(PMPD_PREFILL, bits) ? text + "/" : "") + text + "@0";
}

std::vector<int32_t> OpenModel::beginTokens() {
  std::vector<int32_t> special = tokenizer().encode("", true);
  if (!special.empty())
    return {special.front()};
  if (auto id = tokenizer().specialId("<|endoftext|>"))
    return {*id};
  return {};
}

std::vector<int32_t> OpenModel::endTokens() {
  std::vector<int32_t> ids;
  for (const char *name :
       {"<|endoftext|>", "<|end_of_text|>", "<|eot_id|>", "<|im_end|>", "</s>"})
    if (auto id = tokenizer().specialId(name))
      ids.push_back(*id);
  return ids;
}

OpenModel pmpd::tools::openReference(const std::string &directory,
                                     const OpenModel &model) {
  ModelArgs args = model.options();
  args.directory = directory;
  args.context = 0;
  args.npuMode = PMPD_NPU_MODE_BOTH; // no NPU takes unquantized weights
  args.npuConfig.clear();
  OpenModel reference(args);
  auto expect = [&](const char *what, int64_t expected, int64_t got) {
    throw ToolError(directory + ": expected a reference model with a " + what +
                    std::to_string(expected) + ", but got " +
                    std::to_string(got));
  };
  if (reference.desc().vocab != model.desc().vocab)
    expect("vocabulary of ", model.desc().vocab, reference.desc().vocab);
  if (reference.context() < model.context())
    expect("context of at least ", model.context(), reference.context());
  return reference;
}
