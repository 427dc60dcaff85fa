// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/pmpd-eval/Report.h"

#include <algorithm>
#include <iomanip>
#include <nlohmann/json.hpp>
#include <ostream>
#include <sstream>

using namespace pmpd::tools;

namespace {

using Json = nlohmann::ordered_json;

std::string fixed(double value, int digits) {
  std::ostringstream text;
  text << std::fixed << std::setprecision(digits) << value;
  return text.str();
}

std::string interval(const Estimate &estimate) {
  return fixed(estimate.mean, 4) + " [" + fixed(estimate.low, 4) + ", " +
         fixed(estimate.high, 4) + "]";
}

/// Columns of text as wide as their widest cell; the first ones are names.
class Table {
public:
  explicit Table(size_t names) : names(names) {}

  void add(std::vector<std::string> cells) {
    widths.resize(std::max(widths.size(), cells.size()));
    for (size_t i = 0; i < cells.size(); ++i)
      widths[i] = std::max(widths[i], cells[i].size());
    rows.push_back(std::move(cells));
  }

  void print(std::ostream &out) const {
    for (const std::vector<std::string> &row : rows) {
      std::ostringstream line;
      for (size_t i = 0; i < row.size(); ++i)
        line << (i ? "  " : "") << (i < names ? std::left : std::right)
             << std::setw(int(widths[i])) << row[i];
      out << line.str() << "\n";
    }
    out << std::flush;
  }

private:
  size_t names;
  std::vector<size_t> widths;
  std::vector<std::vector<std::string>> rows;
};

const char *byName(const Setting &setting) {
  return setting.byPrefill ? "prefill" : "decode";
}

Json toJson(const Estimate &estimate) {
  return {
      {"mean", estimate.mean}, {"low", estimate.low}, {"high", estimate.high}};
}

Json toJson(const Row &row, bool reference) {
  const AnswerScore &score = *row.answers;
  Json json = {{"prefill_bits", score.prefillBits},
               {"average_bits", toJson(score.bits)},
               {"tokens", score.tokens},
               {"tokens_per_second", score.tokensPerSecond}};
  if (reference) {
    json["rouge_l_model"] = toJson(score.toModel);
    json["rouge_l_model_gain"] = toJson(score.gain);
  }
  if (row.references) {
    json["rouge_l_reference"] = toJson(score.toReference);
    json["references"] = score.referenced;
    json["perplexity"] = row.references->perTokenPerplexity();
    if (reference)
      json["kl"] = row.references->averageDivergence();
  }
  return json;
}

void addScore(Json &json, const Score &score, bool reference) {
  json["average_bits"] = score.averageBits();
  json["tokens"] = score.tokens;
  json["words"] = score.words;
  json["bytes"] = score.bytes;
  json["nats"] = score.nats;
  json["perplexity"] = score.perTokenPerplexity();
  json["word_perplexity"] = score.perWordPerplexity();
  json["bits_per_byte"] = score.bitsPerByte();
  json["tokens_per_second"] = score.tokensPerSecond();
  if (reference)
    json["kl"] = score.averageDivergence();
}

void printScores(std::ostream &out, const std::vector<Row> &rows,
                 bool reference) {
  Table table(2);
  std::vector<std::string> header = {"schedule", "by",        "bits",
                                     "tokens",   "nats",      "ppl/token",
                                     "ppl/word", "bits/byte", "tokens/s"};
  if (reference)
    header.push_back("kl");
  table.add(header);
  for (const Row &row : rows) {
    const Score &score = *row.score;
    std::vector<std::string> cells = {
        row.setting.schedule,
        byName(row.setting),
        fixed(score.averageBits(), 2),
        std::to_string(score.tokens),
        fixed(score.nats, 1),
        fixed(score.perTokenPerplexity(), 4),
        fixed(score.perWordPerplexity(), 4),
        fixed(score.bitsPerByte(), 4),
        score.steps ? fixed(score.tokensPerSecond(), 0) : "-"};
    if (reference)
      cells.push_back(fixed(score.averageDivergence(), 5));
    table.add(cells);
  }
  table.print(out);
}

void printAnswers(std::ostream &out, const std::vector<Row> &rows,
                  bool reference) {
  const bool texts = rows.front().references.has_value();
  Table table(1);
  std::vector<std::string> header = {"schedule", "prefill", "bits", "tokens",
                                     "tokens/s"};
  if (texts)
    header.push_back("ppl/token");
  if (texts && reference)
    header.push_back("kl");
  if (reference) {
    header.push_back("ROUGE-L to the model");
    header.push_back("over the first");
  }
  if (texts)
    header.push_back("ROUGE-L to the texts");
  table.add(header);
  for (const Row &row : rows) {
    const AnswerScore &score = *row.answers;
    std::vector<std::string> cells = {
        row.setting.schedule, std::to_string(score.prefillBits),
        fixed(score.bits.mean, 2), std::to_string(score.tokens),
        fixed(score.tokensPerSecond, 0)};
    if (texts)
      cells.push_back(fixed(row.references->perTokenPerplexity(), 4));
    if (texts && reference)
      cells.push_back(fixed(row.references->averageDivergence(), 5));
    if (reference) {
      cells.push_back(interval(score.toModel));
      cells.push_back(interval(score.gain));
    }
    if (texts)
      cells.push_back(interval(score.toReference));
    table.add(cells);
  }
  table.print(out);
}

} // namespace

void pmpd::tools::printTable(std::ostream &out, const std::vector<Row> &rows,
                             bool reference) {
  if (rows.front().score)
    printScores(out, rows, reference);
  if (rows.front().score && rows.front().answers)
    out << "\n";
  if (rows.front().answers)
    printAnswers(out, rows, reference);
}

void pmpd::tools::printJson(std::ostream &out, const std::vector<Row> &rows,
                            bool reference) {
  Json json = Json::array();
  for (const Row &row : rows) {
    Json object = {{"schedule", row.setting.schedule},
                   {"by", byName(row.setting)}};
    if (row.score)
      addScore(object, *row.score, reference);
    if (row.answers)
      object["answers"] = toJson(row, reference);
    json.push_back(std::move(object));
  }
  out << json.dump() << "\n";
}
