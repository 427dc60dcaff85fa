// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef LIB_EMIT_NPUHARDWARE_H
#define LIB_EMIT_NPUHARDWARE_H

#include "llvm/Support/Error.h"

#include <string>

namespace pmpd::emit {

/// What the compiler needs to know of an accelerator, and its whole
/// description.
struct NpuHardware {
  std::string name;
  std::string text;        // JSON, as include/pmpd/npu_hardware/ref.json
  int64_t scratchpadBytes; // banks and accumulators
};

/// The configuration named `nameOrPath` ("ref", "edge") or, if it has a dot or
/// a slash, in the file of that path. An error names what is missing or wrong.
llvm::Expected<NpuHardware> findNpuHardware(const std::string &nameOrPath);

} // namespace pmpd::emit

#endif // LIB_EMIT_NPUHARDWARE_H
