// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_RUNTIME_THREADPOOL_H
#define PMPD_RUNTIME_THREADPOOL_H

#include "pmpd/kernel.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

namespace pmpd::rt {

/// Waits for a condition on atomics: spins for a while, then sleeps. The
/// condition must be made true by a sequentially consistent store.
class Parker {
public:
  /// Returns once `ready()` is true.
  template <typename Ready> void wait(Ready ready, bool spin);

  /// Call after making a condition true. Takes no lock while nobody sleeps.
  void wake();

private:
  std::atomic<int> sleepers{0};
  std::mutex mutex;
  std::condition_variable changed;
};

/// A fixed set of threads that run one kernel at a time, the caller's thread
/// included. Tasks are split into one contiguous range per thread.
class ThreadPool {
public:
  /// Starts threads - 1 workers; threads >= 1.
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool &) = delete;
  ThreadPool &operator=(const ThreadPool &) = delete;

  /// Runs tasks 0 .. tasks-1 and returns when all are done. Not reentrant.
  void run(pmpd_kernel kernel, const pmpd_kernel_args *args, int64_t tasks);

private:
  void work(int thread);
  void runShare(int thread) const;
  void stop();

  // The job; written while no worker reads it, published by `jobs`.
  pmpd_kernel kernel = nullptr;
  const pmpd_kernel_args *args = nullptr;
  int64_t tasks = 0;
  bool stopping = false;
  bool callerSpins = true;

  // Apart from each other: the caller writes one, the workers the other.
  alignas(64) std::atomic<uint32_t> jobs{0};  // jobs posted so far
  alignas(64) std::atomic<int> unfinished{0}; // workers still at the job
  Parker jobPosted;
  Parker jobDone;
  std::vector<std::thread> workers;
};

} // namespace pmpd::rt

#endif // PMPD_RUNTIME_THREADPOOL_H
