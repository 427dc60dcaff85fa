// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/pmpd-compile/Staging.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

#include <csignal>
#include <cstdlib>
#include <filesystem>

using namespace llvm;

static Error refuse(const Twine &path, std::error_code code) {
  return createStringError(code, path + ": " + code.message());
}

/// The folder to remove if a signal ends the process.
static char activeFolder[4096];

static void removeAndDie(int signal) {
  // Not async-signal-safe to the letter, but the process ends here either way.
  std::error_code ignored;
  std::filesystem::remove_all(activeFolder, ignored);
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

Expected<std::unique_ptr<Staging>>
Staging::create(const std::string &directory) {
  if (std::error_code code = sys::fs::create_directories(
          directory, /*IgnoreExisting=*/true,
          sys::fs::all_all)) // less the umask
    return refuse(directory, code);
  SmallString<128> pattern(directory);
  sys::path::append(pattern, ".pmpd-compile-XXXXXX");
  std::string folder = pattern.str().str();
  if (!mkdtemp(folder.data()))
    return refuse(directory, std::error_code(errno, std::generic_category()));
  if (folder.size() < sizeof(activeFolder)) {
    folder.copy(activeFolder, folder.size());
    for (int signal : {SIGINT, SIGTERM, SIGHUP})
      std::signal(signal, removeAndDie);
  }
  return std::unique_ptr<Staging>(new Staging(directory, folder));
}

Staging::~Staging() {
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
}

std::string Staging::path(const std::string &file) const {
  SmallString<128> result(folder);
  sys::path::append(result, file);
  return result.str().str();
}

Error Staging::publish(const std::vector<std::string> &files) {
  for (const std::string &file : files) {
    SmallString<128> target(directory);
    sys::path::append(target, file);
    if (std::error_code code = sys::fs::rename(path(file), target))
      return refuse(target, code);
  }
  return Error::success();
}
