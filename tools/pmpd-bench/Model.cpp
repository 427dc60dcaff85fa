// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/pmpd-bench/Model.h"
#include "tools/pmpd-bench/Limits.h"
#include "tools/support/Samples.h"

#include <fstream>
#include <random>

using namespace pmpd;
using namespace pmpd::tools;

namespace {

/// Lets peakRss count from now on.
void resetPeakRss() { std::ofstream("/proc/self/clear_refs") << "5"; }

/// Most memory that was resident, mapped weights included, or nothing where
/// the system does not tell.
Cell peakRss() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.rfind("VmHWM:", 0) == 0)
      return int64_t(std::stoll(line.substr(6))) * 1024;
  return {};
}

class ModelRun {
public:
  ModelRun(const ModelBench &bench, int64_t prompt, const std::string &schedule,
           int threads);
  void measure(TableWriter &table);

private:
  pmpd_stats once();

  const ModelBench &bench;
  const std::string &schedule;
  int threads;
  OpenModel model;
  SessionPtr session;
  std::vector<int32_t> tokens; // of the prompt, then of decode
  int64_t prompt;
  std::vector<float> logits;
};

ModelRun::ModelRun(const ModelBench &bench, int64_t prompt,
                   const std::string &schedule, int threads)
    : bench(bench), schedule(schedule), threads(threads), model([&] {
        ModelArgs args = bench.model;
        args.threads = threads;
        return args;
      }()),
      session(model.createSession()), prompt(prompt),
      logits(model.desc().vocab) {
  std::minstd_rand random(1);
  std::uniform_int_distribution<int32_t> uniform(0, model.desc().vocab - 1);
  tokens.resize(prompt + bench.decodeTokens);
  for (int32_t &token : tokens)
    token = uniform(random);
  check(pmpd_session_set_scheduler(session.get(), schedule.c_str()));
}

pmpd_stats ModelRun::once() {
  pmpd_session_reset(session.get());
  if (prompt > 0)
    check(pmpd_prefill(session.get(), tokens.data(), prompt, 1, logits.data()));
  for (size_t i = prompt; i < tokens.size(); ++i)
    check(pmpd_decode(session.get(), tokens[i], logits.data(), nullptr));
  pmpd_stats stats;
  pmpd_session_stats(session.get(), &stats);
  return stats;
}

void ModelRun::measure(TableWriter &table) {
  resetPeakRss();
  pmpd_stats stats = once(); // warm-up
  Cell resident = peakRss();
  RandomBytes memory(2 * coldBytes(), /*seed=*/1);
  rt::ThreadPool pool(threads);
  Samples prefill, decode, read, fraction;
  for (int i = 0; i < bench.repeat; ++i) {
    double readGbps =
        memory.size() / timeRead(pool, memory.data(), memory.size()) / 1e9;
    stats = once();
    read.add(readGbps);
    if (prompt > 0)
      prefill.add(prompt / stats.prefill_seconds);
    if (bench.decodeTokens > 0) {
      decode.add(bench.decodeTokens / stats.decode_seconds);
      fraction.add(stats.decode_bytes / stats.decode_seconds / 1e9 / readGbps);
    }
  }
  auto median = [](bool any, const Samples &samples) {
    return any ? Cell(samples.median()) : Cell();
  };
  bool decoded = bench.decodeTokens > 0;
  table.add({schedule, stats.average_bits, int64_t(stats.prefill_bits),
             int64_t(threads), prompt, bench.decodeTokens,
             median(prompt > 0, prefill), median(decoded, decode),
             decoded ? Cell(decode.min()) : Cell(),
             decoded ? Cell(decode.max()) : Cell(),
             decoded ? Cell(stats.decode_bytes / bench.decodeTokens) : Cell(),
             read.median(), median(decoded, fraction), resident});
}

} // namespace

std::vector<std::string> pmpd::tools::modelColumns() {
  return {"schedule",         "average_bits",    "prefill_bits",
          "threads",          "prompt_tokens",   "decode_tokens",
          "prefill_tok_s",    "decode_tok_s",    "decode_tok_s_min",
          "decode_tok_s_max", "bytes_per_token", "read_gbps",
          "fraction",         "peak_rss_bytes"};
}

void pmpd::tools::measureModel(const ModelBench &bench, TableWriter &table) {
  for (int64_t prompt : bench.promptTokens)
    for (const std::string &schedule : bench.schedules)
      for (int threads : bench.threads)
        ModelRun(bench, prompt, schedule, threads).measure(table);
}
