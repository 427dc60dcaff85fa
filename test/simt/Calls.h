// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_TEST_SIMT_CALLS_H
#define PMPD_TEST_SIMT_CALLS_H

#include <cstdint>

namespace pmpd::simt {

/// How a call of the executor takes the operands of an intrinsic.
enum class Form {
  Plain, /// As they are; the result is what the intrinsic's is.
  Packed /// (const uint32_t *in, uint32_t *out): a word each, a pointer two.
};

/// What a kernel compiled for the host calls in place of an intrinsic of LLVM.
struct Call {
  const char *intrinsic; /// "llvm.nvvm. ..."; null for calls that HostModule
                         /// adds itself.
  const char *symbol;
  void *address;
  Form form;
};

/// All calls there are.
const Call *calls(uint32_t &count);

} // namespace pmpd::simt

#endif // PMPD_TEST_SIMT_CALLS_H
