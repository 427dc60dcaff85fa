// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/pmpd-eval/Report.h"

#include <iostream>
#include <nlohmann/json.hpp>

using namespace pmpd::tools;

namespace {

struct Args {
  ModelArgs model;
  std::string file;
  std::string reference;
  PromptArgs prompts;
  std::vector<Setting> settings; // in the order given
  int64_t window = 0;
  int64_t maxTokens = 0;
  std::string journal;
  bool json = false;

  void addTo(CLI::App &app);
};

void Args::addTo(CLI::App &app) {
  model.addTo(app);
  app.add_option("-f,--file", file,
                 "text to score for perplexity; - reads stdin")
      ->type_name("FILE");
  prompts.addTo(app, "-p,--prompts");
  app.add_option("--reference", reference,
                 "an unquantized model: adds divergence from its "
                 "probabilities and ROUGE-L against its answers")
      ->type_name("DIR");
  auto takeBits = [this](const std::string &text) {
    int32_t bits = 0;
    if (!CLI::detail::lexical_cast(text, bits) || bits < 1)
      throw CLI::ValidationError("--bits",
                                 "expected positive bits, but got " + text);
    settings.push_back({text, true});
  };
  app.add_option_function<std::string>(
         "--bits", takeBits,
         "these bits throughout; a text is scored with the prefill regions if "
         "they were compiled, else by decode; may be repeated")
      ->type_name("BITS")
      ->trigger_on_parse();
  addScheduleOption(app, [this](std::string given) {
    settings.push_back({std::move(given)});
  })->trigger_on_parse();
  app.add_option("--window", window, "tokens fed per window; 0 = the context")
      ->check(wholeNumber())
      ->type_name("N");
  app.add_option("--max-tokens", maxTokens, "score only the first; 0 = all")
      ->check(wholeNumber())
      ->type_name("N");
  app.add_option("--journal", journal,
                 "keep what was measured in this file until all is done; the "
                 "same command goes on with it")
      ->type_name("FILE");
  app.add_flag("--json", json, "print JSON instead of a table");
}

EvalText readEvalText(const Args &args, OpenModel &model) {
  EvalText text;
  text.tokens = model.tokenizer().encode(readText(args.file));
  text.begin = model.beginTokens();
  if (args.maxTokens > 0 && int64_t(text.tokens.size()) > args.maxTokens)
    text.tokens.resize(args.maxTokens);
  text.window = args.window ? args.window : model.context();
  if (text.window > model.context())
    throw ToolError("expected a --window of at most the context of " +
                    std::to_string(model.context()) + ", but got " +
                    std::to_string(text.window));
  if (text.tokens.size() + text.begin.size() < 2)
    throw ToolError(args.file + ": expected at least two tokens, but got " +
                    std::to_string(text.tokens.size()));
  return text;
}

std::vector<Row> makeRows(const Args &args, const OpenModel &model) {
  std::vector<Row> rows;
  for (Setting setting : args.settings) {
    if (setting.byPrefill) { // of --bits
      int32_t bits = std::stoi(setting.schedule);
      setting = {model.uniformSchedule(bits), model.has(PMPD_PREFILL, bits)};
    }
    rows.push_back({setting, {}, {}, {}});
  }
  return rows;
}

void evaluateText(const Args &args, OpenModel &model, OpenModel *reference,
                  std::vector<Row> &rows, Journal *journal) {
  std::vector<Setting> settings;
  for (const Row &row : rows)
    settings.push_back(row.setting);
  std::vector<Score> scores =
      scoreSequences(model, reference, "windows",
                     cutWindows(readEvalText(args, model)), settings, journal);
  for (size_t i = 0; i < rows.size(); ++i)
    rows[i].score = scores[i];
}

void evaluateAnswers(const Args &args, OpenModel &model, OpenModel *reference,
                     std::vector<Row> &rows, Journal *journal) {
  const std::vector<Prompt> prompts = readPrompts(args.prompts, model);
  std::vector<std::string> schedules;
  std::vector<Setting> settings;
  for (const Row &row : rows) {
    schedules.push_back(row.setting.schedule);
    settings.push_back({row.setting.schedule});
  }
  const std::vector<Sequence> references = toSequences(prompts);
  std::vector<Score> likelihoods = scoreSequences(
      model, reference, "references", references, settings, journal);
  const int64_t tokens = args.prompts.newTokens;
  std::vector<Answer> expected;
  if (reference)
    expected = writeReferenceAnswers(*reference, prompts, tokens, journal);
  std::vector<AnswerScore> scores = scoreAnswers(
      prompts,
      writeAnswers(model, "answers", prompts, tokens, schedules, journal),
      reference ? &expected : nullptr);
  for (size_t i = 0; i < rows.size(); ++i) {
    rows[i].answers = scores[i];
    if (!references.empty())
      rows[i].references = likelihoods[i];
  }
}

/// What measurements depend on, on one line.
std::string describe(const Args &args, const OpenModel &model,
                     const OpenModel *reference, const std::vector<Row> &rows) {
  nlohmann::json setting = {
      {"model", model.digest()},
      {"reference", reference ? reference->digest() : ""},
      {"context", model.context()},
      {"window", args.window},
      {"tokens", args.maxTokens},
      {"prompts",
       {args.prompts.promptTokens, args.prompts.newTokens, args.prompts.most}}};
  auto hashOf = [](const std::string &file) {
    return std::hash<std::string>()(readText(file));
  };
  for (const std::string &file : {args.file, args.prompts.file})
    setting["texts"].push_back({file, file.empty() ? 0 : hashOf(file)});
  for (const Row &row : rows) {
    const std::string &text = row.setting.schedule;
    setting["schedules"].push_back({text,
                                    text[0] == '@' ? hashOf(text.substr(1)) : 0,
                                    row.setting.byPrefill});
  }
  // Names of files may be any bytes.
  return setting.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

int run(const Args &args) {
  OpenModel model(args.model);
  std::optional<OpenModel> opened;
  if (!args.reference.empty())
    opened.emplace(openReference(args.reference, model));
  OpenModel *reference = opened ? &*opened : nullptr;
  std::vector<Row> rows = makeRows(args, model);
  std::optional<Journal> kept;
  if (!args.journal.empty())
    kept.emplace(args.journal, describe(args, model, reference, rows));
  Journal *journal = kept ? &*kept : nullptr;
  if (!args.file.empty())
    evaluateText(args, model, reference, rows, journal);
  if (!args.prompts.file.empty())
    evaluateAnswers(args, model, reference, rows, journal);
  (args.json ? printJson : printTable)(std::cout, rows, reference != nullptr);
  if (!std::cout.flush())
    throw ToolError("cannot write to standard output");
  if (journal)
    journal->finish();
  return 0;
}

} // namespace

int main(int argc, char **argv) {
  CLI::App app("Measures a compiled model under schedules: its perplexity on a "
               "text, its answers to prompts, its distance from another model.",
               "pmpd-eval");
  Args args;
  args.addTo(app);
  return runTool(app, argc, argv, [&] {
    args.model.requireResults();
    if (args.settings.empty())
      throw CLI::RequiredError("--bits or --schedule");
    if (args.file.empty() && args.prompts.file.empty())
      throw CLI::RequiredError("--file or --prompts");
    if (!args.journal.empty() && (args.file == "-" || args.prompts.file == "-"))
      throw CLI::ValidationError("--journal", "expected texts that can be read "
                                              "again, but got -");
    return run(args);
  });
}
