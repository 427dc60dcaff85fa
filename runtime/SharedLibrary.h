// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_RUNTIME_SHAREDLIBRARY_H
#define PMPD_RUNTIME_SHAREDLIBRARY_H

#include "runtime/Status.h"

#include <memory>

namespace pmpd::rt {

/// Owns a loaded NAME.so.
class SharedLibrary {
public:
  /// Loads `path` with its symbols kept to itself.
  /// Errors: NOT_FOUND, BAD_MODEL (not a library for this machine).
  static pmpd_status open(const std::string &path, SharedLibrary &library);

  /// Address of a symbol, null if there is none.
  void *find(const std::string &symbol) const;

private:
  struct Close {
    void operator()(void *handle) const;
  };
  std::unique_ptr<void, Close> handle;
};

} // namespace pmpd::rt

#endif // PMPD_RUNTIME_SHAREDLIBRARY_H
