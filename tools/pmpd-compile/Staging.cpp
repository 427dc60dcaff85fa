// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/pmpd-compile/Staging.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <thread>
#include <unistd.h>

using namespace llvm;

static Error refuse(const Twine &path, std::error_code code) {
  return createStringError(code, path + ": " + code.message());
}

/// The folder to remove if a signal ends the process; empty if there is none.
/// Whoever holds the mutex cannot be ended by a signal that is caught.
static std::mutex activeMutex;
static std::string activeFolder;

void Staging::catchSignals() {
  sigset_t caught;
  sigemptyset(&caught);
  for (int number : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction present;
    sigaction(number, nullptr, &present);
    if (present.sa_handler != SIG_IGN) // as under nohup
      sigaddset(&caught, number);
  }
  pthread_sigmask(SIG_BLOCK, &caught, nullptr);
  // A thread of its own, because a handler may interrupt malloc and must not
  // call it.
  std::thread([caught] {
    int number;
    if (sigwait(&caught, &number) != 0)
      return;
    std::lock_guard<std::mutex> lock(activeMutex);
    // A file that appears during the removal makes it fail.
    std::error_code failed;
    for (int attempt = 0; attempt < 10 && !activeFolder.empty(); ++attempt) {
      std::filesystem::remove_all(activeFolder, failed);
      if (!failed)
        break;
    }
    std::signal(number, SIG_DFL);
    kill(getpid(), number);
    pthread_sigmask(SIG_UNBLOCK, &caught, nullptr);
  }).detach();
}

Expected<std::unique_ptr<Staging>>
Staging::create(const std::string &directory) {
  if (std::error_code code =
          sys::fs::create_directories(directory, /*IgnoreExisting=*/true,
                                      sys::fs::all_all)) // less the umask
    return refuse(directory, code);
  SmallString<128> pattern(directory);
  sys::path::append(pattern, ".pmpd-compile-XXXXXX");
  std::string folder = pattern.str().str();
  std::lock_guard<std::mutex> lock(activeMutex);
  if (!mkdtemp(folder.data()))
    return refuse(directory, std::error_code(errno, std::generic_category()));
  activeFolder = folder;
  return std::unique_ptr<Staging>(new Staging(directory, folder));
}

Staging::~Staging() {
  std::lock_guard<std::mutex> lock(activeMutex);
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
  activeFolder.clear();
}

std::string Staging::path(const std::string &file) const {
  SmallString<128> result(folder);
  sys::path::append(result, file);
  return result.str().str();
}

Error Staging::publish(const std::vector<std::string> &files) {
  std::lock_guard<std::mutex> lock(activeMutex);
  for (const std::string &file : files) {
    SmallString<128> target(directory);
    sys::path::append(target, file);
    if (std::error_code code = sys::fs::rename(path(file), target))
      return refuse(target, code);
  }
  return Error::success();
}
