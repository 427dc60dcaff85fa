// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef LIB_EMIT_INTERFACE_H
#define LIB_EMIT_INTERFACE_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

#include <string>
#include <vector>

namespace pmpd::emit {

/// What a person or a loader wants to know of a compiled model.
struct ModelSummary {
  std::string name, arch, triple, cpu, features, quantizer, activations;
  std::string tokenizer; /// file name in the output directory, may be empty
  std::string program;   /// file name of programs for the NPU, else empty
  std::string digest;    /// of the weight file, hexadecimal
  std::vector<int> prefillBits, decodeBits;
  int64_t vocab, hidden, layers, context, group;
  uint64_t weightBytes; /// size of the weight file
  bool hasLibrary;      /// a shared library is part of the output
};

/// Whether `name` can be a prefix of C symbols and of file names.
bool isValidName(llvm::StringRef name);

/// Text of NAME.h, which declares the exported function.
std::string makeHeader(llvm::StringRef name);

/// Text of NAME.json, by which the runtime finds the other files.
std::string makeManifest(const ModelSummary &summary);

} // namespace pmpd::emit

#endif // LIB_EMIT_INTERFACE_H
