// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Pack/Digest.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

using namespace pmpd;

struct DigestStream::State {
  XXH3_state_t hash;
};

DigestStream::DigestStream() : state(std::make_unique<State>()) { reset(); }
DigestStream::~DigestStream() = default;

void DigestStream::append(const void *data, uint64_t bytes) {
  XXH3_128bits_update(&state->hash, data, bytes);
}

Digest DigestStream::digest() const {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(&state->hash));
  Digest digest;
  std::copy(std::begin(canonical.digest), std::end(canonical.digest),
            digest.begin());
  return digest;
}

void DigestStream::reset() { XXH3_128bits_reset(&state->hash); }
