// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Import/ONNX/FileCache.h"

using namespace pmpd::onnx;
using llvm::StringRef;

llvm::Expected<StringRef> FileCache::map(StringRef path) {
  auto it = files.find(path);
  if (it == files.end()) {
    auto buffer = llvm::MemoryBuffer::getFile(path, /*IsText=*/false,
                                              /*RequiresNullTerminator=*/false);
    if (!buffer)
      return llvm::createStringError(buffer.getError(), "cannot read %s: %s",
                                     path.str().c_str(),
                                     buffer.getError().message().c_str());
    it = files.try_emplace(path, std::move(*buffer)).first;
  }
  return it->second->getBuffer();
}
