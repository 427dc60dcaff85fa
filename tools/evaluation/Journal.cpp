// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/evaluation/Journal.h"

#include "tools/support/Tool.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>

using namespace pmpd::tools;
using nlohmann::json;

namespace {

/// Begins the first line, so that no other file is taken for a journal and
/// lost.
const std::string kMark = "{\"pmpd-journal\":1,\"setting\":";

using Entry = std::pair<std::string, std::vector<double>>;

/// Reads a line of values; nothing if it is not one.
std::optional<Entry> parseLine(const std::string &line) {
  const json entry = json::parse(line, nullptr, false);
  if (!entry.is_array() || entry.size() != 2 || !entry[0].is_string() ||
      !entry[1].is_array() ||
      !std::all_of(entry[1].begin(), entry[1].end(),
                   [](const json &value) { return value.is_number(); }))
    return std::nullopt;
  return Entry(entry[0], entry[1]);
}

} // namespace

Journal::Journal(const std::string &path, const std::string &setting)
    : path(path) {
  const std::string first = kMark + setting + "}";
  uint64_t whole = 0; // bytes worth keeping
  std::ifstream existing(path, std::ios::binary);
  std::string line;
  if (std::getline(existing, line) &&
      line.substr(0, kMark.size()) !=
          (existing.eof() ? kMark.substr(0, line.size()) : kMark))
    throw ToolError(path + ": expected a journal to go on with or no file; "
                           "remove it or name another one");
  // A last line without its end may have lost digits.
  if (existing && !existing.eof() && line == first) {
    whole = line.size() + 1;
    while (std::getline(existing, line) && !existing.eof()) {
      std::optional<Entry> entry = parseLine(line);
      if (!entry)
        break;
      measured.insert(*entry);
      whole += line.size() + 1;
    }
  }
  existing.close();
  if (whole > 0) {
    std::error_code error;
    std::filesystem::resize_file(path, whole, error);
    if (error)
      throw ToolError(path + ": cannot write: " + error.message());
  }
  stream.open(path, std::ios::binary | (whole ? std::ios::app : std::ios::out));
  if (whole == 0)
    write(first);
}

std::optional<std::vector<double>> Journal::find(const std::string &key) const {
  std::lock_guard<std::mutex> lock(mutex);
  auto found = measured.find(key);
  if (found == measured.end())
    return std::nullopt;
  return found->second;
}

void Journal::add(const std::string &key, const std::vector<double> &values) {
  std::lock_guard<std::mutex> lock(mutex);
  measured[key] = values;
  write(json::array({key, values}).dump());
}

void Journal::write(const std::string &line) {
  stream << line << '\n' << std::flush;
  if (!stream)
    throw ToolError(path + ": cannot write: " + std::strerror(errno));
}

void Journal::finish() {
  stream.close();
  std::error_code ignored;
  std::filesystem::remove(path, ignored);
}

double JournalReader::number() {
  if (at == end)
    throw ToolError("expected more values in the journal; it is damaged, "
                    "remove it");
  return *at++;
}

int64_t JournalReader::count(int64_t most) {
  double value = number();
  if (!(value >= 0 && value <= double(most)) || value != std::floor(value))
    throw ToolError("expected a number of 0 .. " + std::to_string(most) +
                    " in the journal, but got " + std::to_string(value) +
                    "; it is damaged, remove it");
  return int64_t(value);
}
