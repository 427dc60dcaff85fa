// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_RUNTIME_TARGETS_NPU_CONTAINER_H
#define PMPD_RUNTIME_TARGETS_NPU_CONTAINER_H

#include "pmpd/npu_program.h"

#include <string>
#include <vector>

namespace pmpd::npu {

/// A section of a program file and its bytes.
struct Payload {
  std::string tag; ///< 4 characters
  uint32_t align;  ///< power of two
  std::string bytes;

  /// The bytes of `count` records.
  template <typename Record>
  static Payload of(const char *tag, const Record *records, size_t count = 1) {
    return {tag, alignof(Record),
            std::string(reinterpret_cast<const char *>(records),
                        count * sizeof(Record))};
  }
};

/// The program file of these sections, with all hashes and checksums.
std::vector<uint8_t> pack(const std::vector<Payload> &payloads,
                          const uint8_t weightsDigest[PMPD_DIGEST_BYTES]);

} // namespace pmpd::npu

#endif // PMPD_RUNTIME_TARGETS_NPU_CONTAINER_H
