// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/pmpd-run/Generation.h"
#include "tools/pmpd-run/TextStream.h"
#include "tools/support/Tool.h"

#include <csignal>
#include <iostream>
#include <optional>
#include <sstream>
#include <unistd.h>

using namespace pmpd::tools;

namespace {

struct Args {
  ModelArgs model;
  std::string prompt;
  std::string file;
  int64_t tokens = 128;
  std::optional<int32_t> prefillBits;
  std::string schedule;
  pmpd_sampling sampling = {0.0f, 0, 1.0f, 0};
  bool noBos = false;
  bool ignoreEos = false;
  bool raw = false;
  bool showBits = false;
  bool stats = false;
  bool json = false;
  std::string trace;

  void addTo(CLI::App &app);
};

void Args::addTo(CLI::App &app) {
  model.addTo(app);
  CLI::Option_group *input = app.add_option_group("prompt");
  input->add_option("-p,--prompt", prompt, "text to go on from");
  input->add_option("-f,--file", file, "file with that text; - reads stdin")
      ->type_name("FILE");
  input->require_option(1);
  app.add_option("-n,--tokens", tokens, "most tokens to generate")
      ->capture_default_str()
      ->check(wholeNumber())
      ->type_name("N");
  addScheduleOption(app, [this](std::string given) { schedule = given; });
  app.add_option("--prefill-bits", prefillBits,
                 "bits of the prompt's pass; 0 = the highest compiled "
                 "(default: what the schedule says, else 0)")
      ->check(wholeNumber(0, INT32_MAX))
      ->type_name("BITS");
  app.add_option("--temperature", sampling.temperature, "0 = greedy")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 100.0))
      ->type_name("T");
  app.add_option("--top-k", sampling.top_k,
                 "sample from the K likeliest tokens; 0 = off")
      ->capture_default_str()
      ->check(wholeNumber(0, INT32_MAX))
      ->type_name("K");
  app.add_option("--top-p", sampling.top_p,
                 "sample from the likeliest tokens that hold P; 1 = off")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 1.0))
      ->type_name("P");
  app.add_option("--seed", sampling.seed, "of the sampling")
      ->capture_default_str();
  app.add_flag("--no-bos", noBos, "do not begin with the begin-of-text token");
  app.add_flag("--ignore-eos", ignoreEos, "go on after an end-of-text token");
  app.add_flag("--raw", raw, "token ids in and out, no tokenizer");
  app.add_flag("--show-bits", showBits, "mark the bits each token used");
  app.add_flag("--stats", stats, "print speeds, bits and bytes to stderr");
  app.add_flag("--json", json, "print one JSON object instead of the text");
  app.add_option("--trace", trace,
                 "write what each thread, or unit of the NPU, did when, as "
                 "Chrome trace JSON for Perfetto")
      ->type_name("FILE");
}

std::vector<int32_t> parseIds(const std::string &text) {
  std::istringstream stream(text);
  std::vector<int32_t> ids;
  for (std::string word; stream >> word;) {
    int32_t id = 0;
    if (!CLI::detail::lexical_cast(word, id))
      throw ToolError("expected token ids separated by spaces with --raw, but "
                      "got '" +
                      word + "'");
    ids.push_back(id);
  }
  return ids;
}

std::vector<int32_t> readPrompt(const Args &args, OpenModel &model) {
  std::string text = args.file.empty() ? args.prompt : readText(args.file);
  if (args.raw)
    return parseIds(text);
  std::vector<int32_t> ids;
  if (!args.noBos)
    ids = model.beginTokens();
  std::vector<int32_t> encoded = model.tokenizer().encode(text);
  ids.insert(ids.end(), encoded.begin(), encoded.end());
  return ids;
}

BitMarks chooseMarks(const Args &args) {
  if (!args.showBits)
    return BitMarks::None;
  return isatty(STDOUT_FILENO) ? BitMarks::Colors : BitMarks::Segments;
}

/// Takes tokens as they are generated.
struct Output {
  const Args &args;
  OpenModel &model;
  TextStream stream;
  Generation generation;

  bool take(int32_t token, int32_t bits) {
    generation.tokens.push_back(token);
    generation.bits.push_back(bits);
    std::string bytes = args.raw ? std::to_string(token) + " "
                                 : model.tokenizer().decode(token);
    if (!args.raw)
      generation.text += bytes;
    // Without results the tokens are no text.
    bool silent = args.json || args.model.npuMode == PMPD_NPU_MODE_TIMING;
    return silent || stream.write(bytes, bits);
  }
};

pmpd_session *interruptible = nullptr;

/// Ends the generation as the first interrupt; the next one ends the program.
void interrupt(int) {
  pmpd_session_cancel(interruptible);
  std::signal(SIGINT, SIG_DFL);
}

SessionPtr generate(const Args &args, OpenModel &model, Output &output) {
  SessionPtr session = model.createSession();
  if (!args.schedule.empty())
    check(pmpd_session_set_scheduler(session.get(), args.schedule.c_str()));
  if (args.prefillBits)
    check(pmpd_session_set_prefill_bits(session.get(), *args.prefillBits));
  std::vector<int32_t> prompt = readPrompt(args, model), stops;
  // Without results a token that ends a text means nothing.
  if (!args.raw && !args.ignoreEos &&
      args.model.npuMode != PMPD_NPU_MODE_TIMING)
    stops = model.endTokens();
  pmpd_generate_options options = PMPD_GENERATE_OPTIONS_INIT;
  options.max_tokens = args.tokens;
  options.sampling = args.sampling;
  options.stop_tokens = stops.data();
  options.stop_count = stops.size();
  options.on_token = [](void *user, int64_t, int32_t token, int32_t bits) {
    return static_cast<Output *>(user)->take(token, bits) ? 0 : 1;
  };
  options.user = &output;
  interruptible = session.get();
  std::signal(SIGINT, interrupt);
  pmpd_status status =
      pmpd_generate(session.get(), prompt.data(), int64_t(prompt.size()),
                    &options, nullptr, nullptr);
  std::signal(SIGINT, SIG_DFL);
  output.generation.cancelled = status == PMPD_CANCELLED;
  if (status != PMPD_CANCELLED)
    check(status);
  // The last token needs no room.
  const int64_t produced = int64_t(output.generation.tokens.size());
  output.generation.contextFull =
      produced < args.tokens &&
      int64_t(prompt.size()) + produced > model.context();
  pmpd_session_stats(session.get(), &output.generation.stats);
  pmpd_npu_stats npu;
  if (pmpd_session_npu_stats(session.get(), &npu) == PMPD_OK)
    output.generation.npu = {npu.config, npu.prefill, npu.decode};
  return session;
}

int run(const Args &args) {
  OpenModel model(args.model);
  Output output{args, model, TextStream(stdout, chooseMarks(args)), {}};
  SessionPtr session = generate(args, model, output);
  const Generation &generation = output.generation;
  if (args.json)
    printJson(std::cout, model.desc().name, generation);
  else if (!output.stream.finish())
    throw ToolError("cannot write to standard output");
  // After the text, which a path that cannot be written must not cost.
  if (!args.trace.empty())
    check(pmpd_session_write_trace(session.get(), args.trace.c_str()));
  if (generation.contextFull)
    std::cerr << "pmpd-run: the context of " << model.context()
              << " tokens is full; shorten the prompt or compile with a larger "
                 "--ctx\n";
  if (args.stats)
    printStats(std::cerr, generation);
  return generation.cancelled ? 128 + SIGINT : 0;
}

} // namespace

int main(int argc, char **argv) {
  CLI::App app("Generates text with a compiled model.", "pmpd-run");
  Args args;
  args.addTo(app);
  return runTool(app, argc, argv, [&] {
    args.model.trace = !args.trace.empty();
    return run(args);
  });
}
