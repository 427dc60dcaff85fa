// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_TEST_RUNTIME_COMMAND_H
#define PMPD_TEST_RUNTIME_COMMAND_H

#include <fstream>
#include <iterator>
#include <string>
#include <sys/wait.h>

#include "test/runtime/Fixture.h"

namespace pmpd::test {

/// The result of a command run by the shell.
struct Command {
  int exitCode;
  std::string out;
  std::string error;
};

inline Command runCommand(const std::string &line) {
  TempDir dir;
  auto read = [&](const char *name) {
    std::ifstream stream(dir.path(name), std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(stream), {});
  };
  int status = std::system(
      (line + " >" + dir.path("out") + " 2>" + dir.path("error")).c_str());
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, read("out"),
          read("error")};
}

} // namespace pmpd::test

#endif // PMPD_TEST_RUNTIME_COMMAND_H
