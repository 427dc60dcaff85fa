// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef LIB_EMIT_NPUPROGRAM_H
#define LIB_EMIT_NPUPROGRAM_H

#include "lib/Emit/NpuHardware.h"
#include "lib/Pack/Digest.h"
#include "pmpd/npu_program.h"

#include <vector>

namespace pmpd::emit {

/// The instructions of one region and what is known of them.
struct NpuRegion {
  std::string name;
  pmpd_npu_region facts = {}; // but name, first and count
  std::vector<pmpd_npu_instruction> code;
  /// Names of instructions from an index in `code` on, ascending.
  std::vector<std::pair<uint32_t, std::string>> lines;
};

/// A tensor of the weight file.
struct NpuTensor {
  std::string name;
  pmpd_npu_tensor facts = {}; // but name
};

/// All of a program file, see include/pmpd/npu_program.h.
struct NpuProgram {
  NpuHardware hardware;
  pmpd_npu_abi abi = {};
  std::vector<NpuRegion> regions;
  std::vector<NpuTensor> tensors;
  Digest weights = {};
};

/// The bytes of the file. What it requires of a machine is what its code uses.
std::vector<uint8_t> makeNpuProgram(const NpuProgram &program);

} // namespace pmpd::emit

#endif // LIB_EMIT_NPUPROGRAM_H
