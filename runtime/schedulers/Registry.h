// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Policies by name. A new one is a file that defines a SchedulerKind, and its
// line in Registry.cpp.
#ifndef PMPD_RUNTIME_SCHEDULERS_REGISTRY_H
#define PMPD_RUNTIME_SCHEDULERS_REGISTRY_H

#include "runtime/schedulers/ScheduleText.h"
#include "runtime/schedulers/Scheduler.h"

namespace pmpd::rt {

/// A policy that is chosen by its name.
struct SchedulerKind {
  pmpd_scheduler_info info;

  /// Makes the policy from what follows its name, ':' included.
  /// Errors: BAD_ARGUMENT.
  pmpd_status (*parse)(ScheduleText &text, std::unique_ptr<Scheduler> &policy);
};

extern const SchedulerKind kStaticKind;
extern const SchedulerKind kConfidenceKind;
extern const SchedulerKind kLearnedKind;
extern const SchedulerKind kRandomKind;

/// What the text of a schedule says.
struct ParsedSchedule {
  int32_t prefillBits = 0; // 0 = not said
  std::unique_ptr<Scheduler> policy;
};

/// Parses a schedule, reading the file that "@FILE" names; the policy is not
/// bound to a model yet. Errors: BAD_ARGUMENT, NOT_FOUND, IO_ERROR.
pmpd_status parseSchedule(const char *text, ParsedSchedule &schedule);

} // namespace pmpd::rt

#endif // PMPD_RUNTIME_SCHEDULERS_REGISTRY_H
