// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a policy is. Policies that have a name are registered in Registry.cpp.
#ifndef PMPD_RUNTIME_SCHEDULERS_SCHEDULER_H
#define PMPD_RUNTIME_SCHEDULERS_SCHEDULER_H

#include "runtime/Model.h"

#include <memory>
#include <vector>

namespace pmpd::rt {

/// What is known when the first decode step after a prefill is about to run.
struct Request {
  const int32_t *tokens;       // [count], all that the KV cache holds
  int64_t count;               // 0 if the request began without a prefill
  int64_t maxTokens;           // most that will be generated, at least 1
  const pmpd_session *session; // for pmpd_session_kv
};

/// Picks the bits of every decode step; one per session. Calls come in the
/// order bind, then for every request begin and any number of pick and rewind.
class Scheduler {
public:
  virtual ~Scheduler() = default;

  /// Checks the policy against the model it is to serve and takes from it what
  /// it needs. Errors: UNSUPPORTED_BITS, BAD_ARGUMENT.
  virtual pmpd_status bind(const Model &) { return PMPD_OK; }

  /// Starts a request and forgets the one before. Called once after its last
  /// prefill, before its first pick; costly decisions belong here. On an error
  /// the step fails and the next one begins again.
  virtual pmpd_status begin(const Request &) { return PMPD_OK; }

  /// Bits for step.index. Called once before every decode step.
  virtual int32_t pick(const pmpd_step &step) = 0;

  /// Whether pick looks at step.logits; else the step may lack them.
  virtual bool readsLogits() const { return false; }

  /// Takes back the steps from `index` on: that is the next one's index.
  virtual void rewind(int64_t /*index*/) {}
};

/// Bits by token index. `points` satisfy checkSwitchPoints.
std::unique_ptr<Scheduler>
createStaticScheduler(std::vector<pmpd_switch_point> points);

/// Asks `fn` with the user's pointer.
std::unique_ptr<Scheduler> createCallbackScheduler(pmpd_schedule_fn fn,
                                                   void *user);

/// Checks that the first point starts at 0, the others ascend and the bits
/// never rise. Errors: BAD_ARGUMENT.
pmpd_status checkSwitchPoints(const pmpd_switch_point *points, size_t count);

} // namespace pmpd::rt

#endif // PMPD_RUNTIME_SCHEDULERS_SCHEDULER_H
