// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_RUNTIME_TIMER_H
#define PMPD_RUNTIME_TIMER_H

#include <chrono>

namespace pmpd::rt {

/// Measures wall-clock seconds since its construction.
class Timer {
public:
  double seconds() const {
    return std::chrono::duration<double>(Clock::now() - start).count();
  }

private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point start = Clock::now();
};

} // namespace pmpd::rt

#endif // PMPD_RUNTIME_TIMER_H
