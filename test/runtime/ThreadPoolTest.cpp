// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/ThreadPool.h"

#include <chrono>
#include <ctime>
#include <gtest/gtest.h>
#include <thread>

using pmpd::rt::ThreadPool;

namespace {

/// Adds 1 to every task's counter. ptr: counters.
void countTasks(const pmpd_kernel_args *args, int64_t begin, int64_t end) {
  for (int64_t task = begin; task < end; ++task)
    ++static_cast<int64_t *>(args->ptr[0])[task];
}

/// Writes the thread of every task. ptr: thread ids.
void noteThreads(const pmpd_kernel_args *args, int64_t begin, int64_t end) {
  for (int64_t task = begin; task < end; ++task)
    static_cast<std::thread::id *>(args->ptr[0])[task] =
        std::this_thread::get_id();
}

pmpd_kernel_args argsOf(void *pointer) {
  pmpd_kernel_args args = {};
  args.ptr[0] = pointer;
  return args;
}

double cpuSeconds() { return double(std::clock()) / CLOCKS_PER_SEC; }

} // namespace

TEST(ThreadPool, runs_every_task_once) {
  for (int threads : {1, 2, 3, 8}) {
    ThreadPool pool(threads);
    for (int64_t tasks : {0, 1, 2, 3, 7, 8, 9, 1000}) {
      std::vector<int64_t> counts(tasks + 1);
      pmpd_kernel_args args = argsOf(counts.data());
      pool.run(countTasks, &args, tasks);
      EXPECT_EQ(counts.back(), 0);
      counts.pop_back();
      EXPECT_EQ(counts, std::vector<int64_t>(tasks, 1))
          << threads << " threads";
    }
  }
}

TEST(ThreadPool, gives_every_thread_one_contiguous_range) {
  ThreadPool pool(4);
  std::vector<std::thread::id> ids(10);
  pmpd_kernel_args args = argsOf(ids.data());
  pool.run(noteThreads, &args, 10);
  EXPECT_EQ(ids[0], std::this_thread::get_id()); // the caller takes part
  int changes = 0;
  for (size_t i = 1; i < ids.size(); ++i)
    changes += ids[i] != ids[i - 1];
  EXPECT_EQ(changes, 3);
}

TEST(ThreadPool, survives_many_short_jobs_and_pauses) {
  ThreadPool pool(5);
  std::vector<int64_t> counts(7);
  pmpd_kernel_args args = argsOf(counts.data());
  constexpr int kJobs = 20000;
  for (int job = 0; job < kJobs; ++job) {
    pool.run(countTasks, &args, 7);
    if (job % 1000 == 0) // long enough for the workers to fall asleep
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_EQ(counts, std::vector<int64_t>(7, kJobs));
}

TEST(ThreadPool, pools_of_several_threads_do_not_meet) {
  std::vector<std::thread> callers;
  std::vector<std::vector<int64_t>> counts(4, std::vector<int64_t>(9));
  for (auto &mine : counts)
    callers.emplace_back([&mine] {
      ThreadPool pool(3);
      pmpd_kernel_args args = argsOf(mine.data());
      for (int job = 0; job < 500; ++job)
        pool.run(countTasks, &args, 9);
    });
  for (std::thread &caller : callers)
    caller.join();
  for (auto &mine : counts)
    EXPECT_EQ(mine, std::vector<int64_t>(9, 500));
}

TEST(ThreadPool, an_idle_pool_uses_no_cpu) {
  ThreadPool pool(4);
  std::vector<int64_t> counts(8);
  pmpd_kernel_args args = argsOf(counts.data());
  pool.run(countTasks, &args, 8);
  double before = cpuSeconds();
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  EXPECT_LT(cpuSeconds() - before, 0.05);
}

TEST(ThreadPool, starts_and_stops_without_work) {
  for (int i = 0; i < 50; ++i)
    ThreadPool pool(1 + i % 6);
}
