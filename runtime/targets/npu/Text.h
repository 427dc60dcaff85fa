// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Program files as text and back, without loss: assembling what disassemble()
// wrote gives the same bytes.
//
//   .program weights=HEX
//   .section "CODE" align=64
//   ld.len mode=qw wait=3,4 post=5 rows=r12 breg=r1 local=r11+0x400 ...
//
// One instruction or record per line; fields that are 0 are left out. What has
// no such form is `.word HEX`. `;` begins a comment.
#ifndef PMPD_RUNTIME_TARGETS_NPU_TEXT_H
#define PMPD_RUNTIME_TARGETS_NPU_TEXT_H

#include "runtime/targets/npu/Program.h"

#include <string>
#include <vector>

namespace pmpd::npu {

/// The text of a program.
std::string disassemble(const Program &program);

/// One instruction, without the line's end.
std::string disassemble(const pmpd_npu_instruction &instruction);

/// The bytes of a program file from its text; `origin` names the text in
/// errors. Checks no more than that the text has bytes: Program::load is the
/// check. Errors: BAD_ARGUMENT, naming the line.
pmpd_status assemble(const std::string &origin, const std::string &text,
                     std::vector<uint8_t> &bytes);

/// The instruction of one line. Errors: BAD_ARGUMENT.
pmpd_status assemble(const std::string &line,
                     pmpd_npu_instruction &instruction);

} // namespace pmpd::npu

#endif // PMPD_RUNTIME_TARGETS_NPU_TEXT_H
