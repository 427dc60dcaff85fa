// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef RUNTIME_DIGEST_H
#define RUNTIME_DIGEST_H

#include "pmpd/artifact.h"

#include <array>
#include <cstddef>

namespace pmpd {

using Digest = std::array<uint8_t, PMPD_DIGEST_BYTES>;

/// XXH3-128 of `bytes` bytes in the canonical (big-endian) form.
Digest computeDigest(const void *data, size_t bytes);

} // namespace pmpd

#endif // RUNTIME_DIGEST_H
