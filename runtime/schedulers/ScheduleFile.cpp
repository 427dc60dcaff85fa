// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/schedulers/ScheduleFile.h"

#include <cerrno>
#include <fstream>
#include <nlohmann/json.hpp>

using namespace pmpd::rt;

namespace {
pmpd_status bad(const std::string &path, const std::string &what) {
  return fail(PMPD_BAD_ARGUMENT,
              path + ": expected " + what + "; write it with pmpd-tune");
}
} // namespace

pmpd_status pmpd::rt::readScheduleFile(const std::string &path,
                                       std::string &schedule) {
  std::ifstream stream(path);
  std::string content;
  std::getline(stream, content, '\0');   // JSON has none
  if (!stream.is_open() || stream.bad()) // a directory can be opened
    return fail(errno == ENOENT ? PMPD_NOT_FOUND : PMPD_IO_ERROR,
                path + ": cannot read the schedule: " + systemError(errno));
  const nlohmann::json json = nlohmann::json::parse(content, nullptr, false);
  if (!json.is_object())
    return bad(path, "a JSON object");
  if (json.value("format", nlohmann::json()) != "pmpd-schedule")
    return bad(path, "\"format\": \"pmpd-schedule\"");
  if (json.value("version", nlohmann::json()) != 1)
    return bad(path, "\"version\": 1");
  auto text = json.find("schedule");
  if (text == json.end() || !text->is_string())
    return bad(path, "a text for \"schedule\"");
  schedule = *text;
  return PMPD_OK;
}
