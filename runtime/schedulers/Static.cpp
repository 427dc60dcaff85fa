// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/schedulers/Scheduler.h"

#include <algorithm>
#include <charconv>
#include <cstring>

using namespace pmpd::rt;

namespace {

class StaticScheduler : public Scheduler {
public:
  explicit StaticScheduler(std::vector<pmpd_switch_point> points)
      : points(std::move(points)) {}

  int32_t pick(const pmpd_step &step) override {
    auto after =
        std::upper_bound(points.begin(), points.end(), step.index,
                         [](int64_t index, const pmpd_switch_point &point) {
                           return index < point.start;
                         });
    return std::prev(after)->bits; // the first point starts at 0
  }

private:
  std::vector<pmpd_switch_point> points;
};

/// Reads BITS@INDEX,BITS@INDEX,... and knows where it stands.
class Parser {
public:
  explicit Parser(const char *text)
      : text(text), at(text), end(text + std::strlen(text)) {}

  template <typename Number>
  pmpd_status number(const char *what, Number &value) {
    auto [next, error] = std::from_chars(at, end, value);
    if (error != std::errc() || value < 0)
      return expected(what);
    at = next;
    return PMPD_OK;
  }

  bool skip(char character) {
    if (at == end || *at != character)
      return false;
    ++at;
    return true;
  }

  bool done() const { return at == end; }

  pmpd_status expected(const char *what) const {
    std::string got = done() ? "the end" : "'" + std::string(at, end) + "'";
    return fail(PMPD_BAD_ARGUMENT,
                "schedule '" + std::string(text) + "': expected " + what +
                    " at character " + std::to_string(at - text + 1) +
                    ", but got " + got + "; write it as 4@0,3@64,2@160");
  }

private:
  const char *text;
  const char *at;
  const char *end;
};

pmpd_status parse(const char *text, pmpd_switch_point *points, size_t capacity,
                  size_t &count) {
  Parser parser(text);
  size_t found = 0;
  do {
    pmpd_switch_point point;
    if (pmpd_status status = parser.number("bits", point.bits))
      return status;
    if (!parser.skip('@'))
      return parser.expected("'@'");
    if (pmpd_status status = parser.number("a token index", point.start))
      return status;
    if (found == capacity)
      return fail(PMPD_BAD_ARGUMENT,
                  "schedule '" + std::string(text) + "': expected at most " +
                      std::to_string(capacity) + " switch points");
    points[found++] = point;
  } while (parser.skip(','));
  if (!parser.done())
    return parser.expected("','");
  if (pmpd_status status = checkSwitchPoints(points, found))
    return status;
  count = found;
  return PMPD_OK;
}

} // namespace

pmpd_status pmpd::rt::checkSwitchPoints(const pmpd_switch_point *points,
                                        size_t count) {
  if (count == 0 || points[0].start != 0)
    return fail(PMPD_BAD_ARGUMENT,
                "expected a schedule whose first switch point is at token "
                "index 0");
  for (size_t i = 1; i < count; ++i)
    if (points[i].start <= points[i - 1].start)
      return fail(PMPD_BAD_ARGUMENT,
                  "expected switch points in ascending order, but " +
                      std::to_string(points[i].start) + " follows " +
                      std::to_string(points[i - 1].start));
  return PMPD_OK;
}

std::unique_ptr<Scheduler>
pmpd::rt::createStaticScheduler(std::vector<pmpd_switch_point> points) {
  return std::make_unique<StaticScheduler>(std::move(points));
}

pmpd_status pmpd_schedule_parse(const char *text, pmpd_switch_point *points,
                                size_t capacity, size_t *count) {
  return guard([&] {
    if (!text || !points || !count)
      return fail(PMPD_BAD_ARGUMENT, "expected a schedule and a place for its "
                                     "switch points, but got NULL");
    return parse(text, points, capacity, *count);
  });
}
