// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The search for a schedule, apart from what a schedule is worth.
#ifndef PMPD_TOOLS_PMPD_TUNE_SEARCH_H
#define PMPD_TOOLS_PMPD_TUNE_SEARCH_H

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace pmpd::tools {

/// Bits of each segment of an answer; they do not rise.
using Levels = std::vector<int32_t>;

/// Answers of `tokens` tokens cut into segments of nearly equal length.
struct Segments {
  int64_t tokens;
  int count; // 1 .. tokens

  /// The first token index of segment k; `tokens` for k = count.
  int64_t start(int k) const {
    return tokens / count * k + tokens % count * k / count;
  }

  /// Mean bits over the decode steps, those of the indices 1 .. tokens - 1;
  /// of the first segment if there are none.
  double averageBits(const Levels &levels) const;

  /// The text of the schedule, switch points only where the bits change.
  std::string schedule(const Levels &levels) const;
};

/// A schedule that was tried.
struct Candidate {
  int32_t prefillBits;
  Levels levels;
  double averageBits;
  double loss; // the lower the better
};

/// Losses of schedules after prefill at given bits, in the order given.
using Evaluate = std::function<std::vector<double>(
    int32_t prefillBits, const std::vector<Levels> &)>;

/// Every non-increasing sequence over `ladder`, which falls, in falling
/// lexicographic order: schedules that begin alike are neighbours.
std::vector<Levels> nonIncreasing(const std::vector<int32_t> &ladder,
                                  int segments);

/// The number of those sequences, at most `limit`.
size_t countNonIncreasing(size_t ladder, int segments, size_t limit);

/// What a search may use and what it must reach.
struct SearchSpace {
  std::vector<int32_t> prefill; // bits, falling
  std::vector<int32_t> decode;  // bits, falling
  Segments segments;
  size_t exhaustive; // try all of so many schedules, prune among more
};

struct SearchResult {
  Candidate baseline; // the highest bits throughout
  Candidate pair;     // the lowest constant decode bits, then prefill bits
  Candidate best;     // the fewest decode bits on average, then prefill bits
  std::vector<Candidate> tried;
  double mostLoss;
};

/// Finds the smallest pair of prefill and constant decode bits whose loss is at
/// most `limit(loss of the highest bits)`, then the schedule with the fewest
/// bits on average after the highest prefill, then the lowest prefill bits that
/// it can do with. Up to space.exhaustive schedules are all tried; of more,
/// those are left out that a schedule already tried decides, if lowering the
/// bits of a segment never lowers the loss. Either way `best` was tried and
/// meets the limit; the baseline always does.
SearchResult searchSchedules(const SearchSpace &space,
                             const std::function<double(double)> &limit,
                             const Evaluate &evaluate);

/// Those for which no other has as little loss with fewer bits or less loss
/// with as few, by ascending bits.
std::vector<Candidate> paretoFront(std::vector<Candidate> candidates);

} // namespace pmpd::tools

#endif // PMPD_TOOLS_PMPD_TUNE_SEARCH_H
