// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/Descriptor.h"
#include "runtime/schedulers/Registry.h"

#include <algorithm>

using namespace pmpd::rt;

namespace {

class StaticScheduler : public Scheduler {
public:
  explicit StaticScheduler(std::vector<pmpd_switch_point> points)
      : points(std::move(points)) {}

  pmpd_status bind(const Model &model) override {
    for (const pmpd_switch_point &point : points)
      if (!findRegion(model.desc(), PMPD_DECODE, point.bits))
        return failUnsupportedBits(model.desc(), PMPD_DECODE, point.bits);
    return PMPD_OK;
  }

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

/// Reads BITS@INDEX,BITS@INDEX,... to the end of the text.
pmpd_status readPoints(ScheduleText &text,
                       std::vector<pmpd_switch_point> &points) {
  do {
    pmpd_switch_point point;
    if (pmpd_status status = text.number("bits", point.bits))
      return status;
    if (!text.skip('@'))
      return text.expected("'@' and a token index");
    if (pmpd_status status = text.number("a token index", point.start))
      return status;
    points.push_back(point);
  } while (text.skip(','));
  if (!text.done())
    return text.expected("',' or the end");
  return checkSwitchPoints(points.data(), points.size());
}

pmpd_status parseStatic(ScheduleText &text,
                        std::unique_ptr<Scheduler> &policy) {
  if (!text.startsNumber() && !text.skip(':'))
    return text.expected("':'");
  std::vector<pmpd_switch_point> points;
  if (pmpd_status status = readPoints(text, points))
    return status;
  policy = createStaticScheduler(std::move(points));
  return PMPD_OK;
}

} // namespace

pmpd_status pmpd::rt::checkSwitchPoints(const pmpd_switch_point *points,
                                        size_t count) {
  if (count == 0 || points[0].start != 0)
    return fail(PMPD_BAD_ARGUMENT,
                "expected a schedule whose first switch point is at token "
                "index 0");
  for (size_t i = 1; i < count; ++i) {
    if (points[i].start <= points[i - 1].start)
      return fail(PMPD_BAD_ARGUMENT,
                  "expected switch points in ascending order, but " +
                      std::to_string(points[i].start) + " follows " +
                      std::to_string(points[i - 1].start));
    if (points[i].bits > points[i - 1].bits)
      return fail(PMPD_BAD_ARGUMENT, "expected bits that do not rise, but " +
                                         std::to_string(points[i].bits) +
                                         " follows " +
                                         std::to_string(points[i - 1].bits) +
                                         "; only a callback may raise them");
  }
  return PMPD_OK;
}

std::unique_ptr<Scheduler>
pmpd::rt::createStaticScheduler(std::vector<pmpd_switch_point> points) {
  return std::make_unique<StaticScheduler>(std::move(points));
}

const SchedulerKind pmpd::rt::kStaticKind = {
    {"static", "[static:]BITS@INDEX,...",
     "bits by index of the generated token, as in 4@0,3@64,2@160"},
    parseStatic};

pmpd_status pmpd_schedule_parse(const char *text, pmpd_switch_point *points,
                                size_t capacity, size_t *count) {
  return guard([&] {
    if (!text || !points || !count)
      return fail(PMPD_BAD_ARGUMENT, "expected a schedule and a place for its "
                                     "switch points, but got NULL");
    ScheduleText written(text);
    std::vector<pmpd_switch_point> found;
    if (pmpd_status status = readPoints(written, found))
      return status;
    if (found.size() > capacity)
      return written.wrong("expected at most " + std::to_string(capacity) +
                           " switch points, but got " +
                           std::to_string(found.size()));
    std::copy(found.begin(), found.end(), points);
    *count = found.size();
    return PMPD_OK;
  });
}
