// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_LIB_PACK_DIGEST_H
#define PMPD_LIB_PACK_DIGEST_H

#include "pmpd/artifact.h"
#include <array>
#include <memory>

namespace pmpd {

/// XXH3-128 in its canonical, big-endian form.
using Digest = std::array<uint8_t, PMPD_DIGEST_BYTES>;

/// Digest of bytes that come in parts.
class DigestStream {
public:
  DigestStream();
  ~DigestStream();
  void append(const void *data, uint64_t bytes);

  /// Digest of what was appended since the last reset.
  Digest digest() const;
  void reset();

private:
  struct State;
  std::unique_ptr<State> state;
};

} // namespace pmpd

#endif // PMPD_LIB_PACK_DIGEST_H
