// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_RUNTIME_MANIFEST_H
#define PMPD_RUNTIME_MANIFEST_H

#include "runtime/Status.h"

namespace pmpd::rt {

/// What the NAME.json that pmpd-compile writes says about a directory. Paths
/// include the directory.
struct Manifest {
  std::string name;
  std::string library; // "" if only a static one was made
  std::string weights;
  std::string tokenizer; // "" if the model has none
  std::string target;
  std::string symbol;  // of the descriptor function; "" for the NPU
  std::string program; // for the NPU only

  /// The target whose regions are in a program file and not in a library.
  static constexpr const char *kNpuTarget = "npu";
  /// The one whose library launches kernels of a GPU, on any host.
  static constexpr const char *kGpuTarget = "nvptx";

  /// Finds and reads the one NAME.json of `directory`.
  /// Errors: NOT_FOUND, IO_ERROR, BAD_MODEL.
  static pmpd_status read(const std::string &directory, Manifest &manifest);
};

} // namespace pmpd::rt

#endif // PMPD_RUNTIME_MANIFEST_H
