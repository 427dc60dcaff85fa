// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the tools with a command line of CLI11 share, pmpd-compile included.
#ifndef PMPD_TOOLS_SUPPORT_COMMANDLINE_H
#define PMPD_TOOLS_SUPPORT_COMMANDLINE_H

#include <CLI/CLI.hpp>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <string>

namespace pmpd::tools {

/// Parses the command line and runs `body`. Returns the exit code: 0, what
/// body returns, 1 for an exception or if standard output cannot be written, 2
/// for a wrong command line, which body reports as a CLI::ParseError.
int runTool(CLI::App &app, int argc, char **argv,
            const std::function<int()> &body);

/// Accepts whole numbers of `least` to `most`.
CLI::Validator
wholeNumber(int64_t least = 0,
            int64_t most = std::numeric_limits<int64_t>::max());

/// For transform(): accepts the names of `values`.
template <typename T>
CLI::Validator oneOf(const std::map<std::string, T> &values) {
  return CLI::Validator(
      [values](std::string &text) -> std::string {
        if (auto found = values.find(text); found != values.end()) {
          text = std::to_string(static_cast<int64_t>(found->second));
          return "";
        }
        std::string names;
        for (const auto &[name, value] : values)
          names += (names.empty() ? "" : ", ") + name;
        return "expected one of " + names + ", but got " + text;
      },
      "");
}

} // namespace pmpd::tools

#endif // PMPD_TOOLS_SUPPORT_COMMANDLINE_H
