// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef LIB_EMIT_LIBRARY_H
#define LIB_EMIT_LIBRARY_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"
#include "llvm/TargetParser/Triple.h"

#include <string>

namespace pmpd::emit {

/// Writes the static library that holds one object to `path`.
llvm::Error writeArchive(llvm::ArrayRef<char> object, llvm::StringRef name,
                         const std::string &path);

/// Links one object into the shared library `path` that exports `symbol`. Runs
/// the linker of LLVM (`ld.lld-22` or `ld.lld`), or failing that `cc`.
llvm::Error linkShared(llvm::ArrayRef<char> object, llvm::StringRef symbol,
                       const llvm::Triple &triple, const std::string &path);

} // namespace pmpd::emit

#endif // LIB_EMIT_LIBRARY_H
