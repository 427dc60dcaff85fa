// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/Digest.h"

#include <cstring>

#define XXH_INLINE_ALL
#include <xxhash.h>

pmpd::rt::Digest pmpd::rt::computeDigest(const void *data, size_t bytes) {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits(data, bytes));
  Digest digest;
  static_assert(sizeof(canonical.digest) == sizeof(digest), "128 bits");
  std::memcpy(digest.data(), canonical.digest, digest.size());
  return digest;
}
