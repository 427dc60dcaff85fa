// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef LIB_EMIT_EXTERNALTOOL_H
#define LIB_EMIT_EXTERNALTOOL_H

#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/Error.h"

#include <string>

namespace pmpd::emit {

/// Files for other programs, removed at the end.
class TemporaryFiles {
public:
  ~TemporaryFiles();

  /// Writes a file whose name ends in `.suffix` and returns its path.
  llvm::Expected<std::string> add(llvm::StringRef suffix,
                                  llvm::StringRef contents);

private:
  llvm::SmallVector<std::string> paths;
};

/// Runs `program` with `arguments`, waits, and fails unless it returns 0, with
/// what it wrote.
llvm::Error runTool(const std::string &program,
                    llvm::ArrayRef<std::string> arguments);

} // namespace pmpd::emit

#endif // LIB_EMIT_EXTERNALTOOL_H
