// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/pmpd-tune/Search.h"

#include <algorithm>
#include <tuple>

using namespace pmpd::tools;

namespace {

/// Whether every segment of `a` has at most the bits of `b`'s.
bool isBelow(const Levels &a, const Levels &b) {
  return std::equal(a.begin(), a.end(), b.begin(), std::less_equal<>());
}

class Search {
public:
  Search(const SearchSpace &space, const std::function<double(double)> &limit,
         const Evaluate &evaluate)
      : space(space), evaluate(evaluate) {
    const int32_t prefill = space.prefill.front();
    tryAll(prefill, {constant(space.decode.front())});
    result.baseline = result.tried.front();
    result.mostLoss = limit(result.baseline.loss);
    findPair();
    std::vector<Levels> schedules =
        nonIncreasing(space.decode, space.segments.count);
    if (schedules.size() <= space.exhaustive)
      tryAll(prefill, schedules);
    else
      prune(std::move(schedules));
    const Levels levels = best().levels;
    for (int32_t lower : space.prefill)
      if (levels.front() <= lower)
        tryAll(lower, {levels});
    result.best = best();
  }

  SearchResult result;

private:
  Levels constant(int32_t bits) const {
    return Levels(space.segments.count, bits);
  }

  bool meets(const Candidate &candidate) const {
    return candidate.loss <= result.mostLoss;
  }

  const Candidate *find(int32_t prefillBits, const Levels &levels) const {
    for (const Candidate &candidate : result.tried)
      if (candidate.prefillBits == prefillBits && candidate.levels == levels)
        return &candidate;
    return nullptr;
  }

  /// Tries those that were not yet tried.
  void tryAll(int32_t prefillBits, std::vector<Levels> schedules) {
    schedules.erase(std::remove_if(schedules.begin(), schedules.end(),
                                   [&](const Levels &levels) {
                                     return find(prefillBits, levels);
                                   }),
                    schedules.end());
    if (schedules.empty())
      return;
    const std::vector<double> losses = evaluate(prefillBits, schedules);
    for (size_t i = 0; i < schedules.size(); ++i)
      result.tried.push_back({prefillBits, schedules[i],
                              space.segments.averageBits(schedules[i]),
                              losses[i]});
  }

  /// Decode bits that are not above prefill's; all after the highest prefill,
  /// which may be the lower of the two phases' highest.
  std::vector<int32_t> ladderAfter(int32_t prefillBits) const {
    std::vector<int32_t> ladder;
    for (int32_t bits : space.decode)
      if (bits <= prefillBits || prefillBits == space.prefill.front())
        ladder.push_back(bits);
    return ladder;
  }

  void findPair() {
    for (int32_t prefill : space.prefill) {
      std::vector<Levels> constants;
      for (int32_t bits : ladderAfter(prefill))
        constants.push_back(constant(bits));
      tryAll(prefill, constants);
    }
    auto size = [](const Candidate &candidate) {
      return std::make_tuple(candidate.levels.front(), candidate.prefillBits);
    };
    result.pair = result.baseline;
    for (const Candidate &candidate : result.tried)
      if (meets(candidate) && size(candidate) < size(result.pair))
        result.pair = candidate;
  }

  Candidate best() const {
    auto size = [](const Candidate &candidate) {
      return std::make_tuple(candidate.averageBits, candidate.prefillBits,
                             candidate.loss);
    };
    Candidate best = result.pair;
    for (const Candidate &candidate : result.tried)
      if (meets(candidate) && size(candidate) < size(best))
        best = candidate;
    return best;
  }

  /// Bisects what can still win: a schedule that meets the limit rules out all
  /// that need as many bits, one that does not all below it.
  void prune(std::vector<Levels> open) {
    const int32_t prefill = space.prefill.front();
    auto bits = [&](const Levels &levels) {
      return space.segments.averageBits(levels);
    };
    std::sort(open.begin(), open.end(), [&](const Levels &a, const Levels &b) {
      return bits(a) < bits(b);
    });
    for (;;) {
      const double least = best().averageBits;
      auto decided = [&](const Levels &levels) {
        if (bits(levels) >= least)
          return true;
        return std::any_of(result.tried.begin(), result.tried.end(),
                           [&](const Candidate &tried) {
                             return tried.prefillBits == prefill &&
                                    !meets(tried) &&
                                    isBelow(levels, tried.levels);
                           });
      };
      open.erase(std::remove_if(open.begin(), open.end(), decided), open.end());
      if (open.empty())
        return;
      tryAll(prefill, {open[open.size() / 2]});
    }
  }

  const SearchSpace &space;
  const Evaluate &evaluate;
};

} // namespace

double Segments::averageBits(const Levels &levels) const {
  if (tokens < 2)
    return levels.front();
  double sum = 0;
  for (int k = 0; k < count; ++k)
    sum += double(levels[k]) * double(std::max<int64_t>(start(k + 1), 1) -
                                      std::max<int64_t>(start(k), 1));
  return sum / double(tokens - 1);
}

std::string Segments::schedule(const Levels &levels) const {
  std::string text;
  for (int k = 0; k < count; ++k)
    if (k == 0 || levels[k] != levels[k - 1])
      text += (k ? "," : "") + std::to_string(levels[k]) + "@" +
              std::to_string(start(k));
  return text;
}

std::vector<Levels>
pmpd::tools::nonIncreasing(const std::vector<int32_t> &ladder, int segments) {
  std::vector<Levels> found;
  std::vector<size_t> rungs(segments, 0); // ascending
  for (;;) {
    Levels levels;
    for (size_t rung : rungs)
      levels.push_back(ladder[rung]);
    found.push_back(std::move(levels));
    int last = segments - 1;
    while (last >= 0 && rungs[last] + 1 == ladder.size())
      --last;
    if (last < 0)
      return found;
    std::fill(rungs.begin() + last, rungs.end(), rungs[last] + 1);
  }
}

size_t pmpd::tools::countNonIncreasing(size_t ladder, int segments,
                                       size_t limit) {
  double count = 1; // binomial(segments + ladder - 1, ladder - 1)
  for (size_t i = 1; i < ladder; ++i)
    count = count * double(segments + i) / double(i);
  return count >= double(limit) ? limit : size_t(count + 0.5);
}

SearchResult
pmpd::tools::searchSchedules(const SearchSpace &space,
                             const std::function<double(double)> &limit,
                             const Evaluate &evaluate) {
  return Search(space, limit, evaluate).result;
}

std::vector<Candidate>
pmpd::tools::paretoFront(std::vector<Candidate> candidates) {
  std::sort(candidates.begin(), candidates.end(),
            [](const Candidate &a, const Candidate &b) {
              return std::make_tuple(a.averageBits, a.loss, a.prefillBits) <
                     std::make_tuple(b.averageBits, b.loss, b.prefillBits);
            });
  std::vector<Candidate> front;
  for (Candidate &candidate : candidates)
    if (front.empty() || candidate.loss < front.back().loss)
      front.push_back(std::move(candidate));
  return front;
}
