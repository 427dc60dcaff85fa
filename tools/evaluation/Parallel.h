// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Independent items on several threads. Sessions of one thread each on
// different items are faster than one session of several threads, which has to
// wait for all of them hundreds of times per token; see RATIONALE.md.
#ifndef PMPD_TOOLS_EVALUATION_PARALLEL_H
#define PMPD_TOOLS_EVALUATION_PARALLEL_H

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace pmpd::tools {

class Journal;

/// How `threads` are spread over items.
struct Workers {
  int count;          // of workers, at least 1
  int32_t threadsPer; // of a worker's session, at least 1

  /// Threads of 0 are all CPUs the process may use.
  Workers(int32_t threads, size_t items);

  /// Calls body(worker, item) once per item, items of one worker in order, and
  /// shows on stderr how many are done. An exception of a body ends the work
  /// and is thrown here.
  void run(const std::string &what, size_t items,
           const std::function<void(int worker, size_t item)> &body) const;

  /// Runs what measures an item, unless the journal, which may be null, has it
  /// under the name `what`. Returns what was measured of every item.
  std::vector<std::vector<double>>
  measure(const std::string &what, size_t items, Journal *journal,
          const std::function<std::vector<double>(int worker, size_t item)>
              &body) const;
};

} // namespace pmpd::tools

#endif // PMPD_TOOLS_EVALUATION_PARALLEL_H
