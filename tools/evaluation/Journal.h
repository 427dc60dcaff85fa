// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_TOOLS_EVALUATION_JOURNAL_H
#define PMPD_TOOLS_EVALUATION_JOURNAL_H

#include <cstdint>
#include <fstream>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace pmpd::tools {

/// What was measured so far, in a file as well, so that work that was
/// interrupted goes on. The file has one JSON value per line: the setting, then
/// [key, [values]]. Any thread.
class Journal {
public:
  /// Takes up what is in `path` as far as it is whole if its setting is
  /// `setting`, one line; else begins the file anew. Throws ToolError if it
  /// cannot be written, or is there and no journal.
  Journal(const std::string &path, const std::string &setting);

  /// Nothing if it was not measured.
  std::optional<std::vector<double>> find(const std::string &key) const;

  /// Throws ToolError if it cannot be written.
  void add(const std::string &key, const std::vector<double> &values);

  /// Removes the file: nobody needs to go on.
  void finish();

  size_t count() const { return measured.size(); }

private:
  void write(const std::string &line);

  std::string path;
  std::ofstream stream;
  std::map<std::string, std::vector<double>> measured;
  mutable std::mutex mutex;
};

/// Reads what an entry holds in order. Every function throws ToolError if the
/// next value is not there or not such a value.
class JournalReader {
public:
  explicit JournalReader(const std::vector<double> &values)
      : at(values.begin()), end(values.end()) {}

  double number();

  /// A whole number from 0 to `most`.
  int64_t count(int64_t most);

private:
  std::vector<double>::const_iterator at, end;
};

} // namespace pmpd::tools

#endif // PMPD_TOOLS_EVALUATION_JOURNAL_H
