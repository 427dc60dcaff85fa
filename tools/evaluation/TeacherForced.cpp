// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/evaluation/TeacherForced.h"

#include "tools/evaluation/Parallel.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>

using namespace pmpd::tools;

namespace {

/// Rows of logits held at once; a window of a large vocabulary would not fit.
constexpr int64_t kLogitRows = 64;

double ratio(double value, double by) { return by > 0 ? value / by : 0; }

/// Logarithm of the sum of exponentials.
double logSum(const float *logits, int32_t vocab) {
  double most = *std::max_element(logits, logits + vocab), sum = 0;
  for (int32_t i = 0; i < vocab; ++i)
    sum += std::exp(logits[i] - most);
  return most + std::log(sum);
}

/// Empties a session and feeds it a prompt without its last token, whose
/// logits are the first to be scored.
void feedPrompt(pmpd_session *session, const Sequence &sequence) {
  pmpd_session_reset(session);
  if (sequence.prompt > 1)
    check(pmpd_prefill(session, sequence.tokens.data(), sequence.prompt - 1, 0,
                       nullptr));
}

/// A session that scores sequences under one setting.
class Scorer {
public:
  Scorer(OpenModel &model, int32_t threads, const Setting &setting)
      : session(model.createSession(threads)), vocab(model.desc().vocab),
        byPrefill(setting.byPrefill), logits(kLogitRows * vocab) {
    setSchedule(session.get(), setting.schedule);
  }

  /// Feeds all of the prompt but its last token.
  void begin(const Sequence &sequence) {
    feedPrompt(session.get(), sequence);
    counted = {};
  }

  /// Feeds inputs `at` .. `at + rows - 1`, at most kLogitRows, and scores what
  /// follows them. reference: [rows, vocab] or null.
  void score(const Sequence &sequence, int64_t at, int64_t rows,
             const float *reference, Score &score) {
    const std::vector<int32_t> &tokens = sequence.tokens;
    if (byPrefill)
      check(
          pmpd_prefill(session.get(), &tokens[at], rows, rows, logits.data()));
    for (int64_t row = 0; row < rows; ++row) {
      const float *found = logits.data() + (byPrefill ? row * vocab : 0);
      if (!byPrefill)
        step(sequence, at + row, score);
      score.nats += surprise(found, vocab, tokens[at + row + 1]);
      if (reference)
        score.diverged += divergence(reference + row * vocab, found, vocab);
    }
    pmpd_stats stats;
    pmpd_session_stats(session.get(), &stats);
    if (byPrefill)
      score.bits += double(stats.prefill_bits) * double(rows);
    score.steps += stats.decode_tokens - counted.decode_tokens;
    score.seconds += stats.decode_seconds - counted.decode_seconds;
    counted = stats;
  }

private:
  void step(const Sequence &sequence, int64_t at, Score &score) {
    const int32_t *token = &sequence.tokens[at];
    int32_t bits = 0;
    if (at + 1 == sequence.prompt) {
      check(pmpd_prefill(session.get(), token, 1, 1, logits.data()));
      check(pmpd_session_set_max_tokens(
          session.get(), int64_t(sequence.tokens.size()) - sequence.prompt));
      pmpd_session_stats(session.get(), &counted);
      bits = counted.prefill_bits;
    } else {
      check(pmpd_decode(session.get(), *token, logits.data(), &bits));
    }
    score.bits += bits;
  }

  SessionPtr session;
  int32_t vocab;
  bool byPrefill;
  std::vector<float> logits; // [kLogitRows, vocab]
  pmpd_stats counted = {};   // those of earlier calls
};

/// What one thread needs: a session per setting and one of the reference.
struct Worker {
  std::vector<Scorer> scorers;
  SessionPtr reference;
  std::vector<float> expected; // [kLogitRows, vocab]
};

void scoreSequence(Worker &worker, const Sequence &sequence,
                   std::vector<Score> &scores) {
  for (Scorer &scorer : worker.scorers)
    scorer.begin(sequence);
  if (worker.reference)
    feedPrompt(worker.reference.get(), sequence);
  const int64_t inputs = int64_t(sequence.tokens.size()) - 1;
  for (int64_t at = sequence.prompt - 1; at < inputs; at += kLogitRows) {
    int64_t rows = std::min(kLogitRows, inputs - at);
    const float *expected = nullptr;
    if (worker.reference) {
      check(pmpd_prefill(worker.reference.get(), &sequence.tokens[at], rows,
                         rows, worker.expected.data()));
      expected = worker.expected.data();
    }
    for (size_t i = 0; i < scores.size(); ++i)
      worker.scorers[i].score(sequence, at, rows, expected, scores[i]);
  }
}

/// What is measured of every sequence and added up.
std::array<double *, 5> sumsOf(Score &score) {
  return {&score.nats, &score.diverged, &score.bits, &score.steps,
          &score.seconds};
}

/// Tokens, bytes and words that are scored; they are the same for every
/// setting.
void countText(OpenModel &model, const std::vector<Sequence> &sequences,
               Score &score) {
  bool inSpace = true;
  for (const Sequence &sequence : sequences) {
    score.tokens += int64_t(sequence.tokens.size()) - sequence.prompt;
    for (size_t i = sequence.prompt; i < sequence.tokens.size(); ++i)
      for (unsigned char byte : model.tokenizer().decode(sequence.tokens[i])) {
        bool space = std::isspace(byte);
        score.words += inSpace && !space;
        inSpace = space;
        ++score.bytes;
      }
  }
}

} // namespace

double pmpd::tools::surprise(const float *logits, int32_t vocab,
                             int32_t token) {
  return logSum(logits, vocab) - logits[token];
}

double pmpd::tools::divergence(const float *reference, const float *logits,
                               int32_t vocab) {
  double from = logSum(reference, vocab), to = logSum(logits, vocab), sum = 0;
  for (int32_t i = 0; i < vocab; ++i) {
    double expected = reference[i] - from;
    sum += std::exp(expected) * (expected - (logits[i] - to));
  }
  return std::max(sum, 0.0); // what is below comes from rounding
}

double Score::perTokenPerplexity() const {
  return std::exp(ratio(nats, double(tokens)));
}
double Score::perWordPerplexity() const {
  return std::exp(ratio(nats, double(words)));
}
double Score::bitsPerByte() const {
  return ratio(nats / std::log(2.0), double(bytes));
}
double Score::averageBits() const { return ratio(bits, double(tokens)); }
double Score::averageDivergence() const {
  return ratio(diverged, double(tokens));
}
double Score::tokensPerSecond() const { return ratio(steps, seconds); }

std::vector<Sequence> pmpd::tools::cutWindows(const EvalText &text) {
  std::vector<Sequence> windows;
  // The last target of a window is never fed, so it may exceed the context.
  const size_t each = text.window + 1 - text.begin.size();
  for (size_t at = 0; at < text.tokens.size(); at += each) {
    Sequence window{text.begin, 1};
    size_t end = std::min(at + each, text.tokens.size());
    window.tokens.insert(window.tokens.end(), text.tokens.begin() + at,
                         text.tokens.begin() + end);
    if (window.tokens.size() >= 2)
      windows.push_back(std::move(window));
  }
  return windows;
}

std::vector<Sequence>
pmpd::tools::toSequences(const std::vector<Prompt> &prompts) {
  std::vector<Sequence> sequences;
  for (const Prompt &prompt : prompts) {
    Sequence sequence{prompt.tokens, int64_t(prompt.tokens.size())};
    sequence.tokens.insert(sequence.tokens.end(), prompt.answer.begin(),
                           prompt.answer.end());
    if (!prompt.answer.empty())
      sequences.push_back(std::move(sequence));
  }
  return sequences;
}

std::vector<Score> pmpd::tools::scoreSequences(
    OpenModel &model, OpenModel *reference, const std::string &what,
    const std::vector<Sequence> &sequences,
    const std::vector<Setting> &settings, Journal *journal) {
  const Workers spread(model.threads(), sequences.size());
  std::vector<Worker> workers(spread.count);
  for (Worker &worker : workers) {
    for (const Setting &setting : settings)
      worker.scorers.emplace_back(model, spread.threadsPer, setting);
    if (reference) {
      worker.reference = reference->createSession(spread.threadsPer);
      worker.expected.resize(kLogitRows * model.desc().vocab);
    }
  }
  auto measured = spread.measure(
      what, sequences.size(), journal, [&](int worker, size_t i) {
        std::vector<Score> scores(settings.size());
        scoreSequence(workers[worker], sequences[i], scores);
        std::vector<double> values;
        for (Score &score : scores)
          for (double *sum : sumsOf(score))
            values.push_back(*sum);
        return values;
      });
  Score counts;
  countText(model, sequences, counts);
  std::vector<Score> scores(settings.size(), counts);
  // In order, so that sums round alike.
  for (const std::vector<double> &one : measured) {
    JournalReader values(one);
    for (Score &score : scores)
      for (double *sum : sumsOf(score))
        *sum += values.number();
  }
  return scores;
}
