// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/Status.h"

#include <cstdio>
#include <exception>
#include <new>
#include <system_error>

namespace {
// A fixed buffer, so that reporting a failed allocation needs no allocation.
// The log of a compiler in a driver fits.
thread_local char lastError[4096];

pmpd_status failWith(pmpd_status status, const char *text) noexcept {
  std::snprintf(lastError, sizeof(lastError), "%s", text);
  return status;
}
} // namespace

pmpd_status pmpd::rt::fail(pmpd_status status, const std::string &text) {
  return failWith(status, text.c_str());
}

pmpd_status pmpd::rt::failFromException() noexcept {
  try {
    throw;
  } catch (const std::bad_alloc &) {
    return failWith(PMPD_OUT_OF_MEMORY, "out of memory");
  } catch (const std::exception &exception) {
    return failWith(PMPD_INTERNAL, exception.what());
  } catch (...) {
    return failWith(PMPD_INTERNAL, "a callback threw an unknown exception");
  }
}

std::string pmpd::rt::systemError(int error) {
  return std::generic_category().message(error);
}

const char *pmpd_last_error(void) { return lastError; }

const char *pmpd_status_name(pmpd_status status) {
  switch (status) {
  case PMPD_OK:
    return "PMPD_OK";
  case PMPD_BAD_ARGUMENT:
    return "PMPD_BAD_ARGUMENT";
  case PMPD_NOT_FOUND:
    return "PMPD_NOT_FOUND";
  case PMPD_IO_ERROR:
    return "PMPD_IO_ERROR";
  case PMPD_BAD_MODEL:
    return "PMPD_BAD_MODEL";
  case PMPD_UNSUPPORTED_CPU:
    return "PMPD_UNSUPPORTED_CPU";
  case PMPD_UNSUPPORTED_BITS:
    return "PMPD_UNSUPPORTED_BITS";
  case PMPD_OUT_OF_CONTEXT:
    return "PMPD_OUT_OF_CONTEXT";
  case PMPD_OUT_OF_MEMORY:
    return "PMPD_OUT_OF_MEMORY";
  case PMPD_CANCELLED:
    return "PMPD_CANCELLED";
  case PMPD_INTERNAL:
    return "PMPD_INTERNAL";
  case PMPD_NO_DEVICE:
    return "PMPD_NO_DEVICE";
  case PMPD_DEVICE_ERROR:
    return "PMPD_DEVICE_ERROR";
  }
  return "unknown pmpd_status";
}
