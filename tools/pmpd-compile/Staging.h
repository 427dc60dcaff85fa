// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef TOOLS_PMPD_COMPILE_STAGING_H
#define TOOLS_PMPD_COMPILE_STAGING_H

#include "llvm/Support/Error.h"

#include <memory>
#include <string>
#include <vector>

/// A hidden folder in the output directory where all files are written, so
/// that the directory holds a whole model or what it held before.
class Staging {
public:
  /// From now on the folder is removed when SIGINT, SIGTERM or SIGHUP ends the
  /// process. Call it before any other thread begins.
  static void catchSignals();

  /// Creates the output directory if need be, and the folder.
  static llvm::Expected<std::unique_ptr<Staging>>
  create(const std::string &directory);
  /// Removes the folder with what is in it.
  ~Staging();
  Staging(const Staging &) = delete;
  Staging &operator=(const Staging &) = delete;

  /// Where to write `file`.
  std::string path(const std::string &file) const;

  /// Moves files of the folder into the directory, in this order; the last
  /// should be the one that makes the others visible to readers.
  llvm::Error publish(const std::vector<std::string> &files);

private:
  Staging(std::string directory, std::string folder)
      : directory(std::move(directory)), folder(std::move(folder)) {}
  std::string directory, folder;
};

#endif // TOOLS_PMPD_COMPILE_STAGING_H
