// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef LIB_IMPORT_ONNX_FILECACHE_H
#define LIB_IMPORT_ONNX_FILECACHE_H

#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/MemoryBuffer.h"

namespace pmpd::onnx {

/// Files mapped into memory once each.
class FileCache {
public:
  /// The bytes of `path`, valid as long as this object.
  llvm::Expected<llvm::StringRef> map(llvm::StringRef path);

private:
  llvm::StringMap<std::unique_ptr<llvm::MemoryBuffer>> files;
};

} // namespace pmpd::onnx

#endif // LIB_IMPORT_ONNX_FILECACHE_H
