// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A hand-made model in place of a compiled one. A layer keeps one state per
// KV head, state(p) = state(p - 1) / 2 + embedding(token, bits), and stores it
// as K and V of position p; logits read the states of every position. So a
// result depends on the tokens, their order, the bits of every step, the
// weights and the KV cache, and on nothing else.
#ifndef PMPD_TEST_RUNTIME_FAKEMODEL_H
#define PMPD_TEST_RUNTIME_FAKEMODEL_H

#include "pmpd/runtime.h"

#include <vector>

namespace pmpd::test {

constexpr int32_t kVocab = 61;
constexpr int32_t kLayers = 2;
constexpr int32_t kKvHeads = 2;
constexpr int32_t kHeadDim = 4;
constexpr int32_t kHidden = kKvHeads * kHeadDim;
constexpr int32_t kContext = 64;
constexpr int32_t kLongContext = 1 << 20;
constexpr int32_t kPrefillRows = 5;
constexpr int32_t kClasses = 4;

/// The classifiers have logits that are no numbers after so many tokens.
constexpr int64_t kUnsureTokens = 33;

/// Bytes of the weight file the fake models read.
std::vector<uint8_t> fakeWeights();

/// Prefill at 4 and 3 bits, decode at 4, 3 and 2; context kContext; classifiers
/// for 4 -> 3 and 3 -> 2.
const pmpd_model_desc *fakeModel();

/// The same with room for kLongContext tokens and without classifiers.
const pmpd_model_desc *fakeLongModel();

/// What the classifier for `from` -> `from` - 1 says of a KV cache.
int32_t fakeClass(const uint8_t *cache, int64_t tokens, int32_t from);

/// Runs regions with memory of its own and in one thread: what the runtime
/// should arrive at.
class Reference {
public:
  Reference();
  std::vector<float> run(pmpd_phase phase, int32_t bits,
                         const std::vector<int32_t> &tokens);
  const std::vector<uint8_t> &kv() const { return cache; }

private:
  std::vector<uint8_t> weights, cache, scratch;
  int64_t held = 0;
};

} // namespace pmpd::test

#endif // PMPD_TEST_RUNTIME_FAKEMODEL_H
