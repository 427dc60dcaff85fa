// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The arithmetic of the fake model, for its CPU and its GPU form.
#ifndef PMPD_TEST_RUNTIME_FAKEKERNELS_H
#define PMPD_TEST_RUNTIME_FAKEKERNELS_H

#include "pmpd/artifact.h"
#include "test/runtime/FakeModel.h"

#include <cmath>

namespace pmpd::test {

// Section 0 of the weight file is the only one the regions read.
constexpr uint64_t kEmbeddingOffset = PMPD_SECTION_ALIGN;

/// The embedding of a token, rounded to what the bits can express.
inline float embedding(const void *weights, int32_t token, int32_t dim,
                       int32_t bits) {
  auto *base = reinterpret_cast<const float *>(
      static_cast<const uint8_t *>(weights) + kEmbeddingOffset);
  float scale = float(1 << bits);
  return std::round(base[token * kHidden + dim] * scale) / scale;
}

template <int32_t Context>
float *stateAt(void *kv, int64_t layer, int64_t which, int64_t head,
               int64_t position) {
  int64_t row = ((layer * 2 + which) * kKvHeads + head) * Context + position;
  return static_cast<float *>(kv) + row * kHeadDim;
}

/// One task per layer and KV head: appends the rows in order.
/// ptr: weights, kv, tokens.
template <int32_t Bits, int32_t Context>
void append(const pmpd_kernel_args *args, int64_t begin, int64_t end) {
  auto *tokens = static_cast<const int32_t *>(args->ptr[2]);
  for (int64_t task = begin; task < end; ++task)
    for (int64_t row = 0; row < args->rows; ++row)
      for (int32_t dim = 0; dim < kHeadDim; ++dim) {
        int64_t layer = task / kKvHeads, head = task % kKvHeads;
        int64_t position = args->position + row;
        auto state = [&](int64_t which, int64_t at) {
          return stateAt<Context>(args->ptr[1], layer, which, head, at) + dim;
        };
        float before = position ? *state(0, position - 1) : 0.0f;
        float value =
            before / 2 + embedding(args->ptr[0], tokens[row],
                                   int32_t(head * kHeadDim + dim), Bits);
        *state(0, position) = value;
        *state(1, position) = -value;
      }
}

/// One task per row: sums up K - V over all positions into scratch [rows,
/// hidden]. ptr: kv, scratch.
template <int32_t Context>
void attend(const pmpd_kernel_args *args, int64_t begin, int64_t end) {
  for (int64_t row = begin; row < end; ++row)
    for (int32_t dim = 0; dim < kHidden; ++dim) {
      int64_t head = dim / kHeadDim;
      float sum = 0;
      for (int64_t layer = 0; layer < kLayers; ++layer)
        for (int64_t at = 0; at <= args->position + row; ++at) {
          auto state = [&](int64_t which) {
            return stateAt<Context>(args->ptr[0], layer, which, head,
                                    at)[dim % kHeadDim];
          };
          sum += (state(0) - state(1)) / float(1 + args->position + row - at);
        }
      static_cast<float *>(args->ptr[1])[row * kHidden + dim] = sum;
    }
}

/// One task per logit. ptr: weights, scratch, logits; rows: those without
/// logits.
template <int32_t Bits>
void project(const pmpd_kernel_args *args, int64_t begin, int64_t end) {
  for (int64_t task = begin; task < end; ++task) {
    auto *hidden = static_cast<const float *>(args->ptr[1]) +
                   (args->rows + task / kVocab) * kHidden;
    float sum = 0;
    for (int32_t dim = 0; dim < kHidden; ++dim)
      sum += hidden[dim] *
             embedding(args->ptr[0], int32_t(task % kVocab), dim, Bits);
    static_cast<float *>(args->ptr[2])[task] = std::sin(sum * 3);
  }
}

} // namespace pmpd::test

#endif // PMPD_TEST_RUNTIME_FAKEKERNELS_H
