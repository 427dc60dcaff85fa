// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_RUNTIME_TRACE_H
#define PMPD_RUNTIME_TRACE_H

#include "pmpd/kernel.h"
#include "runtime/Status.h"

#include <chrono>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace pmpd::rt {

/// What each thread ran when, of one session.
class Trace {
public:
  using Clock = std::chrono::steady_clock;

  /// The thread that creates it becomes number 0.
  Trace() : origin(Clock::now()), threads{std::this_thread::get_id()} {}

  /// A call of a region, on the caller's thread.
  void addRegion(const pmpd_region_desc &region, int64_t rows, int64_t position,
                 Clock::time_point begin, Clock::time_point end);

  /// Blocks of a kernel of a GPU.
  void addLaunch(const pmpd_gpu_kernel &kernel, int64_t blocks,
                 Clock::time_point begin, Clock::time_point end);

  /// Tasks of a kernel, on the calling thread. Any thread.
  void addTasks(pmpd_kernel kernel, int64_t tasks, Clock::time_point begin,
                Clock::time_point end);

  void clear();

  /// Writes the Chrome trace event format; `desc` names the kernels.
  /// Errors: IO_ERROR.
  pmpd_status write(const std::string &path, const pmpd_model_desc &desc) const;

private:
  struct Event {
    pmpd_kernel kernel; // one of these three
    const pmpd_gpu_kernel *launch;
    const pmpd_region_desc *region;
    int64_t count; // tasks, blocks or rows
    int64_t position;
    int thread;
    Clock::time_point begin, end;
  };
  double microseconds(Clock::time_point time) const {
    return std::chrono::duration<double, std::micro>(time - origin).count();
  }
  void add(Event event);

  Clock::time_point origin;
  std::mutex mutex;
  std::vector<std::thread::id> threads;
  std::vector<Event> events;
};

} // namespace pmpd::rt

#endif // PMPD_RUNTIME_TRACE_H
