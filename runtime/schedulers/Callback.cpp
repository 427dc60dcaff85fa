// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/schedulers/Scheduler.h"

using namespace pmpd::rt;

namespace {
class CallbackScheduler : public Scheduler {
public:
  CallbackScheduler(pmpd_schedule_fn fn, void *user) : fn(fn), user(user) {}

  int32_t pick(const pmpd_step &step) override { return fn(user, &step); }
  bool readsLogits() const override { return true; } // it may

private:
  pmpd_schedule_fn fn;
  void *user;
};
} // namespace

std::unique_ptr<Scheduler>
pmpd::rt::createCallbackScheduler(pmpd_schedule_fn fn, void *user) {
  return std::make_unique<CallbackScheduler>(fn, user);
}
