// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The file form of a schedule, a JSON object:
//   {"format": "pmpd-schedule", "version": 1, "schedule": "4/4@0,3@85", ...}
// Other members say where the schedule comes from and are not read.
#ifndef PMPD_RUNTIME_SCHEDULERS_SCHEDULEFILE_H
#define PMPD_RUNTIME_SCHEDULERS_SCHEDULEFILE_H

#include "runtime/Status.h"

namespace pmpd::rt {

/// Reads the text of the schedule in a file.
/// Errors: NOT_FOUND, IO_ERROR, BAD_ARGUMENT (not such a file).
pmpd_status readScheduleFile(const std::string &path, std::string &schedule);

} // namespace pmpd::rt

#endif // PMPD_RUNTIME_SCHEDULERS_SCHEDULEFILE_H
