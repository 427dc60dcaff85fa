// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/OutputFile.h"

#include <cerrno>
#include <cstdio>
#include <unistd.h>

pmpd_status pmpd::rt::writeFile(const std::string &path,
                                const std::string &content) {
  std::string temporary = path + ".partial." + std::to_string(getpid());
  auto failed = [&](int error) {
    std::remove(temporary.c_str());
    return fail(PMPD_IO_ERROR, path + ": cannot write: " + systemError(error));
  };
  std::FILE *file = std::fopen(temporary.c_str(), "wb");
  if (!file)
    return failed(errno);
  bool written =
      std::fwrite(content.data(), 1, content.size(), file) == content.size();
  int error = errno;
  if (std::fclose(file) != 0 && written) {
    written = false;
    error = errno;
  }
  if (!written)
    return failed(error);
  if (std::rename(temporary.c_str(), path.c_str()) != 0)
    return failed(errno);
  return PMPD_OK;
}
