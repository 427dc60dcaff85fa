// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/schedulers/Registry.h"
#include "runtime/schedulers/ScheduleFile.h"

#include <iterator>

using namespace pmpd::rt;

namespace {

const SchedulerKind *const kKinds[] = {&kStaticKind, &kConfidenceKind,
                                       &kLearnedKind, &kRandomKind};

pmpd_status parsePolicy(ScheduleText &text,
                        std::unique_ptr<Scheduler> &policy) {
  if (text.startsNumber()) // a static schedule needs no name
    return kStaticKind.parse(text, policy);
  ScheduleText ahead = text;
  std::string_view name = ahead.word();
  std::string names;
  for (const SchedulerKind *kind : kKinds) {
    if (name == kind->info.name) {
      text = ahead;
      return kind->parse(text, policy);
    }
    names += std::string(kind->info.name) + ", ";
  }
  return text.expected("one of " + names + "or switch points like 4@0,3@64");
}

pmpd_status parseText(const char *written, ParsedSchedule &schedule) {
  ScheduleText text(written), ahead(written);
  if (ahead.startsNumber()) {
    int32_t bits;
    if (pmpd_status status = ahead.number("bits", bits))
      return status;
    if (ahead.skip('/')) {
      if (bits < 1)
        return text.expected("prefill bits of at least 1");
      schedule.prefillBits = bits;
      text = ahead;
    }
  }
  return parsePolicy(text, schedule.policy);
}

} // namespace

pmpd_status pmpd::rt::parseSchedule(const char *text,
                                    ParsedSchedule &schedule) {
  if (*text != '@')
    return parseText(text, schedule);
  std::string inside;
  if (pmpd_status status = readScheduleFile(text + 1, inside))
    return status;
  if (pmpd_status status = parseText(inside.c_str(), schedule))
    return fail(status, std::string(text + 1) + ": " + pmpd_last_error());
  return PMPD_OK;
}

const pmpd_scheduler_info *pmpd_scheduler_at(size_t index) {
  return index < std::size(kKinds) ? &kKinds[index]->info : nullptr;
}

pmpd_status pmpd_scheduler_check(const char *text) {
  return guard([&] {
    if (!text)
      return fail(PMPD_BAD_ARGUMENT, "expected a schedule, but got NULL");
    ParsedSchedule schedule;
    return parseSchedule(text, schedule);
  });
}
