// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_RUNTIME_MAPPING_H
#define PMPD_RUNTIME_MAPPING_H

#include "runtime/Status.h"

#include <cstddef>
#include <cstdint>
#include <string>

namespace pmpd::rt {

/// Owns pages of memory: a file or zeros. Page aligned.
class Mapping {
public:
  Mapping() = default;
  Mapping(Mapping &&other) noexcept;
  Mapping &operator=(Mapping &&other) noexcept;
  ~Mapping();

  /// Maps a whole file read-only; an empty file gives an empty mapping.
  /// Errors: NOT_FOUND, IO_ERROR.
  static pmpd_status ofFile(const std::string &path, Mapping &mapping);

  /// Reserves `bytes` of zeros; a page costs memory once it is written.
  /// `what` names the purpose in errors. Errors: OUT_OF_MEMORY.
  static pmpd_status ofZeros(uint64_t bytes, const char *what,
                             Mapping &mapping);

  /// Gives all pages back; they read as zeros again. Only for ofZeros.
  void clear();

  /// Keeps the kernel from backing a first small write with a huge page.
  void useSmallPages();

  uint8_t *data() const { return start; }
  uint64_t size() const { return bytes; }

private:
  uint8_t *start = nullptr;
  uint64_t bytes = 0;
};

} // namespace pmpd::rt

#endif // PMPD_RUNTIME_MAPPING_H
