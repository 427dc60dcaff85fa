// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_RUNTIME_DIGEST_H
#define PMPD_RUNTIME_DIGEST_H

#include "pmpd/artifact.h"

#include <array>
#include <cstddef>

namespace pmpd::rt {

using Digest = std::array<uint8_t, PMPD_DIGEST_BYTES>;

/// XXH3-128 of `bytes` bytes in the canonical (big-endian) form.
Digest computeDigest(const void *data, size_t bytes);

} // namespace pmpd::rt

#endif // PMPD_RUNTIME_DIGEST_H
