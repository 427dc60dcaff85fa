// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_RUNTIME_SCHEDULERS_SCHEDULER_H
#define PMPD_RUNTIME_SCHEDULERS_SCHEDULER_H

#include "runtime/Status.h"

#include <memory>
#include <vector>

namespace pmpd::rt {

/// Picks the bits of every decode step; one per session.
class Scheduler {
public:
  virtual ~Scheduler() = default;

  /// Bits for step.index. Called once before every decode step.
  virtual int32_t pick(const pmpd_step &step) = 0;
};

/// Bits by token index. `points` satisfy checkSwitchPoints.
std::unique_ptr<Scheduler>
createStaticScheduler(std::vector<pmpd_switch_point> points);

/// Asks `fn` with the user's pointer.
std::unique_ptr<Scheduler> createCallbackScheduler(pmpd_schedule_fn fn,
                                                   void *user);

/// Checks that the first point starts at 0 and the others ascend.
/// Errors: BAD_ARGUMENT.
pmpd_status checkSwitchPoints(const pmpd_switch_point *points, size_t count);

} // namespace pmpd::rt

#endif // PMPD_RUNTIME_SCHEDULERS_SCHEDULER_H
