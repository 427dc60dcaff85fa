// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_TOOLS_PMPD_TUNE_SAMPLEFILE_H
#define PMPD_TOOLS_PMPD_TUNE_SAMPLEFILE_H

#include <cstdint>
#include <fstream>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace pmpd::tools {

struct Sample {
  nlohmann::json line;      ///< "tokens" is its L
  std::vector<char> planes; ///< [2: K, V, kv_heads, L, head_dim]
};

/// The file of samples and the file of their keys and values, in order of
/// samples whatever order they are made in. What was complete when a process
/// ended is kept. SchedulerData.h describes the files.
class SampleFile {
public:
  /// `setting` is the first line and holds "bytes_per_token". Throws ToolError
  /// if the file holds samples of another setting or cannot be written.
  SampleFile(const std::string &path, const nlohmann::json &setting);

  /// How many samples are complete.
  int64_t count() const { return held; }

  /// Takes sample `index`, which may come before earlier ones. Safe from
  /// several threads. Throws ToolError.
  void add(int64_t index, Sample sample);

private:
  void resume();
  bool take(const std::string &line, uint64_t available);
  void checkWritten();

  const std::string path, planesPath, setting;
  const uint64_t bytesPerToken;
  std::ofstream lines, planes;
  int64_t held = 0;
  uint64_t planeBytes = 0;
  std::map<int64_t, Sample> waiting;
  std::mutex mutex;
};

} // namespace pmpd::tools

#endif // PMPD_TOOLS_PMPD_TUNE_SAMPLEFILE_H
