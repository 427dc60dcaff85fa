// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_TOOLS_PMPD_TUNE_LOSSJOURNAL_H
#define PMPD_TOOLS_PMPD_TUNE_LOSSJOURNAL_H

#include "tools/pmpd-tune/Search.h"

#include <fstream>
#include <map>
#include <mutex>
#include <optional>
#include <tuple>

namespace pmpd::tools {

/// The losses measured so far, in a file as well, so that a search that was
/// interrupted goes on. The file has one JSON value per line: the setting, then
/// [prompt, prefill bits, [bits of segments], loss]. Any thread.
class LossJournal {
public:
  /// What a loss belongs to: prompt, prefill bits, schedule.
  using Key = std::tuple<size_t, int32_t, Levels>;

  /// Takes up what is in `path` as far as it is whole if its setting is
  /// `setting`, one line; else begins the file anew. Throws ToolError if it
  /// cannot be written.
  LossJournal(const std::string &path, const std::string &setting);

  std::optional<double> find(const Key &key) const;

  /// Throws ToolError if it cannot be written.
  void add(const Key &key, double loss);

  /// Removes the file: nobody needs to go on.
  void finish();

  size_t count() const { return losses.size(); }

private:
  void write(const std::string &line);

  std::string path;
  std::ofstream stream;
  std::map<Key, double> losses;
  mutable std::mutex mutex;
};

} // namespace pmpd::tools

#endif // PMPD_TOOLS_PMPD_TUNE_LOSSJOURNAL_H
