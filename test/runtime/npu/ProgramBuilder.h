// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_TEST_RUNTIME_NPU_PROGRAMBUILDER_H
#define PMPD_TEST_RUNTIME_NPU_PROGRAMBUILDER_H

#include "runtime/targets/npu/Program.h"

#include <string>
#include <vector>

namespace pmpd::test {

/// A small program file, by default of one decode region. Everything may be
/// changed before bytes() puts it together.
struct ProgramBuilder {
  ProgramBuilder();

  /// Appends instructions, one per line of the assembler's text.
  ProgramBuilder &add(const std::string &lines);
  ProgramBuilder &add(const pmpd_npu_instruction &instruction);

  /// Ends the code so far with HALT and makes it the next region.
  ProgramBuilder &endRegion(const std::string &name, pmpd_phase phase,
                            unsigned bits, unsigned maxRows);

  uint32_t string(const std::string &text);

  /// The file. Ends a region that is open as "decode_b4".
  std::vector<uint8_t> bytes();

  std::string strings{'\0'};
  pmpd_npu_requirements required = {};
  pmpd_npu_abi abi = {};
  std::vector<pmpd_npu_region> regions;
  std::vector<pmpd_npu_instruction> code;
  std::vector<uint8_t> constants;
  std::vector<pmpd_npu_tensor> tensors;
  std::vector<pmpd_npu_line> lines;
  uint8_t weightsDigest[PMPD_DIGEST_BYTES] = {1, 2, 3};
  uint64_t budget = 100000;
};

/// Recomputes the checksums and hashes of a file that was changed, as far as
/// its section table still makes sense.
void reseal(std::vector<uint8_t> &file);

} // namespace pmpd::test

#endif // PMPD_TEST_RUNTIME_NPU_PROGRAMBUILDER_H
