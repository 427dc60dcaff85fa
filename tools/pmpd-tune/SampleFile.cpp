// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/pmpd-tune/SampleFile.h"

#include "tools/support/Tool.h"

#include <filesystem>

using namespace pmpd::tools;
using nlohmann::json;

SampleFile::SampleFile(const std::string &path, const json &setting)
    : path(path), planesPath(path + ".kv"), setting(setting.dump()),
      bytesPerToken(setting.at("bytes_per_token").get<uint64_t>()) {
  resume();
  lines.open(path, std::ios::app | std::ios::binary);
  planes.open(planesPath, std::ios::app | std::ios::binary);
  if (lines && std::filesystem::file_size(path) == 0)
    lines << this->setting << '\n' << std::flush;
  checkWritten();
}

void SampleFile::add(int64_t index, Sample sample) {
  std::lock_guard<std::mutex> lock(mutex);
  waiting[index] = std::move(sample);
  for (auto it = waiting.find(held); it != waiting.end();
       it = waiting.find(held)) {
    Sample &next = it->second;
    next.line["at"] = planeBytes;
    // A line without its planes must not be seen after an interruption.
    planes.write(next.planes.data(), std::streamsize(next.planes.size()))
        .flush();
    lines << next.line.dump() << '\n' << std::flush;
    checkWritten();
    planeBytes += next.planes.size();
    ++held;
    waiting.erase(it);
  }
}

void SampleFile::checkWritten() {
  if (!lines || !planes)
    throw ToolError(path + ": cannot write: " + std::strerror(errno));
}

/// Counts the sample of a line if it is complete and continues the others.
bool SampleFile::take(const std::string &line, uint64_t available) {
  json sample = json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!sample.is_object() || !sample.contains("labels"))
    return false;
  for (const char *key : {"at", "tokens"})
    if (!sample.contains(key) || !sample[key].is_number_unsigned())
      return false;
  uint64_t tokens = sample["tokens"];
  if (sample["at"] != planeBytes || tokens == 0 ||
      tokens > (available - planeBytes) / bytesPerToken)
    return false;
  planeBytes += tokens * bytesPerToken;
  ++held;
  return true;
}

/// Finds how many samples are complete and drops what is after them.
void SampleFile::resume() {
  std::ifstream existing(path, std::ios::binary);
  std::string line;
  uint64_t kept = 0;
  if (std::getline(existing, line)) {
    bool cut = existing.eof();
    if (cut ? setting.rfind(line, 0) != 0 : line != setting)
      throw ToolError(path + ": expected samples of the same setting to go on "
                             "with, but it holds something else; remove it or "
                             "name another file");
    kept = cut ? 0 : line.size() + 1;
    std::error_code missing;
    uint64_t available = std::filesystem::file_size(planesPath, missing);
    while (!missing && std::getline(existing, line) && !existing.eof() &&
           take(line, available))
      kept += line.size() + 1;
  }
  existing.close();
  for (auto [file, size] :
       {std::pair(path, kept), std::pair(planesPath, planeBytes)}) {
    std::ofstream(file, std::ios::app); // makes it
    std::error_code error;
    std::filesystem::resize_file(file, size, error);
    if (error)
      throw ToolError(file + ": cannot write: " + error.message());
  }
}
