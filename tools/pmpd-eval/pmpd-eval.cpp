// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/pmpd-eval/Perplexity.h"

#include <iomanip>
#include <iostream>
#include <nlohmann/json.hpp>

using namespace pmpd::tools;

namespace {

/// One row of the table.
struct Setting {
  std::string schedule;
  int32_t bits = 0; // of --bits
};

struct Args {
  ModelArgs model;
  std::string file;
  std::vector<Setting> settings; // in the order given
  int64_t window = 0;
  int64_t maxTokens = 0;
  bool json = false;

  void addTo(CLI::App &app);
};

void Args::addTo(CLI::App &app) {
  model.addTo(app);
  app.add_option("-f,--file", file, "text to score; - reads stdin")->required();
  auto takeBits = [this](const std::string &text) {
    int32_t bits = 0;
    if (!CLI::detail::lexical_cast(text, bits) || bits < 1)
      throw CLI::ValidationError("--bits",
                                 "expected positive bits, but got " + text);
    settings.push_back({text + "@0", bits});
  };
  app.add_option_function<std::string>(
         "--bits", takeBits,
         "score with the prefill regions of these bits, or by decode if none "
         "were compiled; may be repeated")
      ->type_name("BITS")
      ->trigger_on_parse();
  addScheduleOption(app, [this](std::string given) {
    settings.push_back({std::move(given), 0});
  })->trigger_on_parse();
  app.add_option("--window", window, "tokens fed per window; 0 = the context")
      ->check(countValidator())
      ->type_name("N");
  app.add_option("--max-tokens", maxTokens, "score only the first; 0 = all")
      ->check(countValidator())
      ->type_name("N");
  app.add_flag("--json", json, "print JSON instead of a table");
}

EvalText readEvalText(const Args &args, OpenModel &model) {
  EvalText text;
  text.tokens = model.tokenizer().encode(readText(args.file));
  text.begin = model.beginTokens();
  if (args.maxTokens > 0 && int64_t(text.tokens.size()) > args.maxTokens)
    text.tokens.resize(args.maxTokens);
  int64_t context =
      args.model.context ? args.model.context : model.desc().context;
  text.window = args.window ? args.window : context;
  if (text.window > context)
    throw ToolError("expected a --window of at most the context of " +
                    std::to_string(context) + ", but got " +
                    std::to_string(text.window));
  if (text.tokens.size() + text.begin.size() < 2)
    throw ToolError(args.file + ": expected at least two tokens, but got " +
                    std::to_string(text.tokens.size()));
  return text;
}

bool hasPrefill(const pmpd_model_desc &desc, int32_t bits) {
  for (int32_t i = 0; i < desc.region_count; ++i)
    if (desc.regions[i].phase == PMPD_PREFILL && desc.regions[i].bits == bits)
      return true;
  return false;
}

nlohmann::ordered_json toJson(const Setting &setting, const Score &score) {
  return {{"schedule", setting.schedule},
          {"by", setting.bits ? "prefill" : "decode"},
          {"average_bits", score.averageBits()},
          {"tokens", score.tokens},
          {"words", score.words},
          {"bytes", score.bytes},
          {"nats", score.nats},
          {"perplexity", score.perTokenPerplexity()},
          {"word_perplexity", score.perWordPerplexity()},
          {"bits_per_byte", score.bitsPerByte()}};
}

void printHeader(std::ostream &out) {
  out << std::left << std::setw(24) << "schedule" << std::setw(8) << "by"
      << std::right << std::setw(6) << "bits" << std::setw(10) << "tokens"
      << std::setw(13) << "nats" << std::setw(12) << "ppl/token"
      << std::setw(12) << "ppl/word" << std::setw(11) << "bits/byte" << "\n";
}

void printRow(std::ostream &out, const Setting &setting, const Score &score) {
  out << std::left << std::setw(24) << setting.schedule << std::setw(8)
      << (setting.bits ? "prefill" : "decode") << std::right << std::fixed
      << std::setprecision(2) << std::setw(6) << score.averageBits()
      << std::setw(10) << score.tokens << std::setprecision(1) << std::setw(13)
      << score.nats << std::setprecision(4) << std::setw(12)
      << score.perTokenPerplexity() << std::setw(12)
      << score.perWordPerplexity() << std::setw(11) << score.bitsPerByte()
      << std::endl;
}

int run(Args args) {
  OpenModel model(args.model);
  const EvalText text = readEvalText(args, model);
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  if (!args.json)
    printHeader(std::cout);
  for (Setting &setting : args.settings) {
    if (!hasPrefill(model.desc(), setting.bits))
      setting.bits = 0;
    Score score = setting.bits ? scoreByPrefill(model, text, setting.bits)
                               : scoreByDecode(model, text, setting.schedule);
    if (args.json)
      rows.push_back(toJson(setting, score));
    else
      printRow(std::cout, setting, score);
  }
  if (args.json)
    std::cout << rows.dump() << "\n";
  return 0;
}

} // namespace

int main(int argc, char **argv) {
  CLI::App app("Measures the perplexity of a compiled model on a text.",
               "pmpd-eval");
  Args args;
  args.addTo(app);
  return runTool(app, argc, argv, [&] {
    if (args.settings.empty())
      throw CLI::RequiredError("--bits or --schedule");
    return run(args);
  });
}
