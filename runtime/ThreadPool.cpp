// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/ThreadPool.h"

#include <algorithm>
#include <chrono>

using namespace pmpd::rt;
using Clock = std::chrono::steady_clock;

namespace {

/// Longest spin. Kernels of one token follow each other within this time.
constexpr auto kSpin = std::chrono::microseconds(50);

/// A wait longer than this says that spinning takes the CPU from others.
constexpr auto kShortWait = 4 * kSpin;

void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

template <typename Ready> bool spinUntil(Ready ready) {
  Clock::time_point end = Clock::now() + kSpin;
  do {
    for (int i = 0; i < 32; ++i) {
      if (ready())
        return true;
      pause();
    }
  } while (Clock::now() < end);
  return false;
}

/// Runs `wait` and says whether the next such wait should spin: not if this
/// one was long, as between calls or with more threads than free CPUs.
template <typename Wait> bool wasShort(Wait wait) {
  Clock::time_point start = Clock::now();
  wait();
  return Clock::now() - start < kShortWait;
}

} // namespace

template <typename Ready> void Parker::wait(Ready ready, bool spin) {
  if (ready() || (spin && spinUntil(ready)))
    return;
  // A waker either sees this sleeper or has made the condition true before
  // the test below; both sides are sequentially consistent.
  sleepers.fetch_add(1);
  {
    std::unique_lock<std::mutex> lock(mutex);
    changed.wait(lock, ready);
  }
  sleepers.fetch_sub(1);
}

void Parker::wake() {
  if (sleepers.load() == 0)
    return;
  // A sleeper that has tested the condition is in wait() after this.
  { std::lock_guard<std::mutex> lock(mutex); }
  changed.notify_all();
}

ThreadPool::ThreadPool(int threads) {
  workers.reserve(threads - 1);
  try {
    for (int thread = 1; thread < threads; ++thread)
      workers.emplace_back([this, thread] { work(thread); });
  } catch (...) {
    stop(); // a joinable std::thread must not be destroyed
    throw;
  }
}

ThreadPool::~ThreadPool() { stop(); }

void ThreadPool::stop() {
  stopping = true;
  jobs.fetch_add(1);
  jobPosted.wake();
  for (std::thread &worker : workers)
    worker.join();
}

void ThreadPool::runShare(int thread) const {
  int64_t threads = int64_t(workers.size()) + 1;
  int64_t each = tasks / threads, extra = tasks % threads;
  int64_t begin = thread * each + std::min<int64_t>(thread, extra);
  int64_t end = begin + each + (thread < extra);
  if (begin < end)
    kernel(args, begin, end);
}

void ThreadPool::run(pmpd_kernel newKernel, const pmpd_kernel_args *newArgs,
                     int64_t newTasks) {
  if (workers.empty() || newTasks <= 1) {
    if (newTasks > 0)
      newKernel(newArgs, 0, newTasks);
    return;
  }
  kernel = newKernel;
  args = newArgs;
  tasks = newTasks;
  unfinished.store(int(workers.size()), std::memory_order_relaxed);
  jobs.fetch_add(1);
  jobPosted.wake();
  runShare(0);
  callerSpins = wasShort([&] {
    jobDone.wait([this] { return unfinished.load() == 0; }, callerSpins);
  });
}

void ThreadPool::work(int thread) {
  bool spin = true;
  for (uint32_t seen = 0;; ++seen) {
    spin = wasShort(
        [&] { jobPosted.wait([&] { return jobs.load() != seen; }, spin); });
    if (stopping)
      return;
    runShare(thread);
    if (unfinished.fetch_sub(1) == 1)
      jobDone.wake();
  }
}
