// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/schedulers/ScheduleText.h"

#include <algorithm>

using namespace pmpd::rt;

std::string_view ScheduleText::word() {
  const char *begin = at;
  while (at != end &&
         ((*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') ||
          startsNumber() || *at == '-'))
    ++at;
  return {begin, size_t(at - begin)};
}

bool ScheduleText::skip(char character) {
  if (at == end || *at != character)
    return false;
  ++at;
  return true;
}

pmpd_status ScheduleText::expected(const std::string &what) const {
  std::string got = done() ? "the end" : "'" + std::string(at, end) + "'";
  return fail(PMPD_BAD_ARGUMENT, "schedule '" + std::string(text) +
                                     "': expected " + what + " at character " +
                                     std::to_string(at - text + 1) +
                                     ", but got " + got);
}

pmpd_status ScheduleText::wrong(const std::string &why) const {
  return fail(PMPD_BAD_ARGUMENT,
              "schedule '" + std::string(text) + "': " + why);
}

pmpd_status
pmpd::rt::readParameters(ScheduleText &text,
                         std::vector<ScheduleParameter> parameters) {
  if (text.done())
    return PMPD_OK;
  if (!text.skip(':'))
    return text.expected("':' or the end");
  do {
    std::string keys;
    for (const ScheduleParameter &parameter : parameters)
      keys += (keys.empty() ? "" : ", ") + std::string(parameter.key) + "=";
    if (keys.empty())
      return text.expected("the end");
    ScheduleText ahead = text;
    std::string_view key = ahead.word();
    auto found = std::find_if(
        parameters.begin(), parameters.end(),
        [&](const ScheduleParameter &known) { return key == known.key; });
    if (found == parameters.end() || !ahead.skip('='))
      return text.expected("one of " + keys);
    text = ahead;
    if (pmpd_status status = found->take(text))
      return status;
    parameters.erase(found);
  } while (text.skip(','));
  return text.done() ? PMPD_OK : text.expected("',' or the end");
}
