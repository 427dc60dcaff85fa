// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reading the text form of schedules:
//   schedule   := [BITS '/'] policy | '@' FILE
//   policy     := NAME [':' parameters] | switch-points
//   parameters := what the policy defines; most take KEY '=' VALUE {',' ...}
#ifndef PMPD_RUNTIME_SCHEDULERS_SCHEDULETEXT_H
#define PMPD_RUNTIME_SCHEDULERS_SCHEDULETEXT_H

#include "runtime/Status.h"

#include <charconv>
#include <cstring>
#include <functional>
#include <string_view>
#include <vector>

namespace pmpd::rt {

/// A schedule's text and how far it has been read; errors name the place.
class ScheduleText {
public:
  explicit ScheduleText(const char *text)
      : text(text), at(text), end(text + std::strlen(text)) {}

  /// Reads a number of at least 0, in decimal.
  template <typename Number>
  pmpd_status number(const char *what, Number &value) {
    Number read;
    if (!startsNumber())
      return expected(what);
    auto [next, error] = std::from_chars(at, end, read);
    if (error != std::errc())
      return expected(what);
    value = read;
    at = next;
    return PMPD_OK;
  }

  /// Reads the longest run of letters, digits and '-', which may be empty.
  std::string_view word();

  /// Reads `character` if it is next.
  bool skip(char character);

  bool startsNumber() const { return at != end && *at >= '0' && *at <= '9'; }
  bool done() const { return at == end; }

  /// BAD_ARGUMENT, with what was expected at this place.
  pmpd_status expected(const std::string &what) const;

  /// BAD_ARGUMENT, with what is wrong with the text as a whole.
  pmpd_status wrong(const std::string &why) const;

private:
  const char *text;
  const char *at;
  const char *end;
};

/// A parameter written KEY=VALUE; `take` reads the value.
struct ScheduleParameter {
  const char *key;
  std::function<pmpd_status(ScheduleText &)> take;
};

/// A parameter that is a number, which errors call `what`.
template <typename Number>
ScheduleParameter numberParameter(const char *key, const char *what,
                                  Number &value) {
  return {key, [what, &value](ScheduleText &text) {
            return text.number(what, value);
          }};
}

/// Reads [:KEY=VALUE,...] up to the end of the text, each key at most once.
/// Errors: BAD_ARGUMENT.
pmpd_status readParameters(ScheduleText &text,
                           std::vector<ScheduleParameter> parameters);

} // namespace pmpd::rt

#endif // PMPD_RUNTIME_SCHEDULERS_SCHEDULETEXT_H
