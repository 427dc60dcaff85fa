// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_RUNTIME_WEIGHTFILE_H
#define PMPD_RUNTIME_WEIGHTFILE_H

#include "runtime/Digest.h"
#include "runtime/Mapping.h"

namespace pmpd::rt {

/// A mapped NAME.pmpdw whose header, section table and names were checked.
class WeightFile {
public:
  /// Maps and checks `path` against the digest a library was compiled with.
  /// Errors: NOT_FOUND, IO_ERROR, BAD_MODEL (truncated, corrupt, other
  /// version, other model).
  static pmpd_status open(const std::string &path, const uint8_t *digest,
                          pmpd_verify verify, WeightFile &file);

  const uint8_t *data() const { return mapping.data(); }
  uint64_t bytes() const { return mapping.size(); }

private:
  Mapping mapping;
};

} // namespace pmpd::rt

#endif // PMPD_RUNTIME_WEIGHTFILE_H
