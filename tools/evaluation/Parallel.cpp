// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/evaluation/Parallel.h"

#include "tools/evaluation/Journal.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <iostream>
#include <mutex>
#include <thread>
#include <unistd.h>

using namespace pmpd::tools;

namespace {

/// Says how far the work is: often on a terminal, now and then in a log.
class Progress {
public:
  Progress(std::string what, size_t total)
      : what(std::move(what)), total(total), terminal(isatty(STDERR_FILENO)),
        shown(Clock::now()) {}

  ~Progress() {
    if (terminal)
      std::cerr << "\r\033[K" << std::flush;
  }

  void step() {
    std::lock_guard<std::mutex> lock(mutex);
    ++done;
    auto now = Clock::now();
    if (now - shown < std::chrono::seconds(terminal ? 1 : 10))
      return;
    shown = now;
    std::cerr << (terminal ? "\r\033[K" : "") << what << ": " << done << " of "
              << total << (terminal ? "" : "\n") << std::flush;
  }

private:
  using Clock = std::chrono::steady_clock;
  std::string what;
  size_t total, done = 0;
  bool terminal;
  Clock::time_point shown;
  std::mutex mutex;
};

} // namespace

Workers::Workers(int32_t threads, size_t items) {
  if (threads <= 0)
    threads = int32_t(std::max(1u, std::thread::hardware_concurrency()));
  count = int(std::clamp<size_t>(items, 1, size_t(threads)));
  threadsPer = threads / count;
}

void Workers::run(const std::string &what, size_t items,
                  const std::function<void(int, size_t)> &body) const {
  Progress progress(what, items);
  std::atomic<size_t> next{0};
  std::vector<std::exception_ptr> failures(count);
  auto work = [&](int worker) {
    try {
      for (size_t item; (item = next++) < items; progress.step())
        body(worker, item);
    } catch (...) {
      failures[worker] = std::current_exception();
      next = items; // the others stop at their next item
    }
  };
  std::vector<std::thread> threads;
  for (int worker = 1; worker < count; ++worker)
    threads.emplace_back(work, worker);
  work(0);
  for (std::thread &thread : threads)
    thread.join();
  for (const std::exception_ptr &failure : failures)
    if (failure)
      std::rethrow_exception(failure);
}

std::vector<std::vector<double>> Workers::measure(
    const std::string &what, size_t items, Journal *journal,
    const std::function<std::vector<double>(int, size_t)> &body) const {
  std::vector<std::vector<double>> measured(items);
  run(what, items, [&](int worker, size_t item) {
    const std::string key = what + " " + std::to_string(item);
    if (journal)
      if (auto known = journal->find(key)) {
        measured[item] = *known;
        return;
      }
    measured[item] = body(worker, item);
    if (journal)
      journal->add(key, measured[item]);
  });
  return measured;
}
