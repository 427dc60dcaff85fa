// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/pmpd-tune/LossJournal.h"

#include "tools/support/Tool.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>

using namespace pmpd::tools;
using nlohmann::json;

namespace {

/// Reads a line of losses; nothing if it is not one.
std::optional<std::pair<LossJournal::Key, double>>
parseLine(const std::string &line) {
  const json values = json::parse(line, nullptr, false);
  if (!values.is_array() || values.size() != 4 ||
      !values[0].is_number_unsigned() || !values[1].is_number_unsigned() ||
      !values[2].is_array() || !values[3].is_number())
    return std::nullopt;
  Levels levels;
  for (const json &bits : values[2]) {
    if (!bits.is_number_unsigned())
      return std::nullopt;
    levels.push_back(bits.get<int32_t>());
  }
  return std::pair(LossJournal::Key(values[0].get<size_t>(),
                                    values[1].get<int32_t>(), levels),
                   values[3].get<double>());
}

} // namespace

LossJournal::LossJournal(const std::string &path, const std::string &setting)
    : path(path) {
  uint64_t whole = 0; // bytes worth keeping
  std::ifstream existing(path, std::ios::binary);
  std::string line;
  // A last line without its end may have lost digits.
  if (std::getline(existing, line) && !existing.eof() && line == setting) {
    whole = line.size() + 1;
    while (std::getline(existing, line) && !existing.eof()) {
      auto found = parseLine(line);
      if (!found)
        break;
      losses.insert(*found);
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
    write(setting);
}

std::optional<double> LossJournal::find(const Key &key) const {
  std::lock_guard<std::mutex> lock(mutex);
  auto found = losses.find(key);
  return found == losses.end() ? std::nullopt : std::optional(found->second);
}

void LossJournal::add(const Key &key, double loss) {
  std::lock_guard<std::mutex> lock(mutex);
  losses[key] = loss;
  const auto &[prompt, prefillBits, levels] = key;
  write(json::array({prompt, prefillBits, levels, loss}).dump());
}

void LossJournal::write(const std::string &line) {
  stream << line << '\n' << std::flush;
  if (!stream)
    throw ToolError(path + ": cannot write: " + std::strerror(errno));
}

void LossJournal::finish() {
  stream.close();
  std::error_code ignored;
  std::filesystem::remove(path, ignored);
}
