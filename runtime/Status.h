// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How the runtime fails: a status for the caller, a text for the thread.
// Inside the runtime a function that can fail returns pmpd_status and has
// called fail(); only the entry points of runtime.h use guard().
#ifndef PMPD_RUNTIME_STATUS_H
#define PMPD_RUNTIME_STATUS_H

#include "pmpd/runtime.h"

#include <string>

namespace pmpd::rt {

/// Keeps `text` for pmpd_last_error on this thread; returns `status`.
pmpd_status fail(pmpd_status status, const std::string &text);

/// Status for the exception being handled; call from a catch block only.
pmpd_status failFromException() noexcept;

/// Runs the body of an entry point; what it throws becomes a status.
template <typename Body> pmpd_status guard(Body &&body) noexcept {
  try {
    return body();
  } catch (...) {
    return failFromException();
  }
}

/// Text of an errno value, on any thread.
std::string systemError(int error);

/// Copies a caller's option struct over the defaults in `known`. A caller
/// built against an older header sets fewer members, a newer one more.
template <typename Options>
pmpd_status readOptions(const Options *given, Options &known) {
  if (!given)
    return PMPD_OK;
  size_t bytes = given->struct_bytes;
  if (bytes < sizeof(bytes))
    return fail(PMPD_BAD_ARGUMENT,
                "expected an option struct that begins with its size, but got "
                "struct_bytes " +
                    std::to_string(bytes) +
                    "; initialise it with its PMPD_*_OPTIONS_INIT");
  __builtin_memcpy(&known, given,
                   bytes < sizeof(known) ? bytes : sizeof(known));
  return PMPD_OK;
}

} // namespace pmpd::rt

#endif // PMPD_RUNTIME_STATUS_H
