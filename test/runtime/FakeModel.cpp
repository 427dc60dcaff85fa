// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/runtime/FakeModel.h"

#include "pmpd/layout.h"
#include "test/runtime/FakeKernels.h"
#include "test/runtime/WeightFileBuilder.h"

#include <algorithm>
#include <cmath>
#include <cstring>

using namespace pmpd::test;

namespace {

template <int32_t Bits, int32_t Context>
void region(const pmpd_region_args *args) {
  auto *weights = const_cast<uint8_t *>(args->weights);
  auto *tokens = const_cast<int32_t *>(args->tokens);
  pmpd_kernel_args call = {};
  call.rows = args->rows;
  call.position = args->position;
  call.ptr[0] = weights;
  call.ptr[1] = args->kv;
  call.ptr[2] = tokens;
  args->parallel_for(args->pool, append<Bits, Context>, &call,
                     kLayers * kKvHeads);
  call.ptr[0] = args->kv;
  call.ptr[1] = args->scratch;
  args->parallel_for(args->pool, attend<Context>, &call, args->rows);
  call.ptr[0] = weights;
  call.ptr[2] = args->logits;
  call.rows = args->rows - args->logit_rows;
  args->parallel_for(args->pool, project<Bits>, &call,
                     args->logit_rows * kVocab);
}

template <int32_t Bits, int32_t Context>
pmpd_region_desc makeRegion(pmpd_phase phase) {
  int32_t rows = phase == PMPD_PREFILL ? kPrefillRows : 1;
  return {phase,
          Bits,
          rows,
          0,
          uint64_t(rows) * kHidden * sizeof(float),
          uint64_t(Bits) * 1000,
          region<Bits, Context>};
}

/// The class by the keys (4 -> 3) or the values (3 -> 2) of one layer, [heads,
/// context, head_dim], at every valid position.
int32_t classOf(const float *plane, int64_t tokens, int32_t from) {
  float sum = 0;
  for (int64_t head = 0; head < kKvHeads; ++head)
    for (int64_t at = 0; at < tokens * kHeadDim; ++at)
      sum += plane[head * kContext * kHeadDim + at] * float(at % 5);
  return int32_t(int64_t(std::fabs(sum) * (from == 4 ? 100 : 37)) % kClasses);
}

template <int32_t From> void classify(const pmpd_classifier_args *args) {
  // All of the scratch memory may be written.
  auto *scratch = reinterpret_cast<float *>(args->scratch);
  const uint8_t *plane = From == 4 ? args->keys : args->values;
  int32_t chosen =
      classOf(reinterpret_cast<const float *>(plane), args->tokens, From);
  bool unsure = args->tokens == kUnsureTokens;
  for (int32_t c = 0; c < kClasses; ++c)
    scratch[c] = unsure ? std::nanf("") : float(c == chosen);
  std::copy_n(scratch, kClasses, args->logits);
}

template <int32_t Context> const pmpd_model_desc *makeModel() {
  static const pmpd_region_desc regions[] = {
      makeRegion<4, Context>(PMPD_PREFILL),
      makeRegion<3, Context>(PMPD_PREFILL),
      makeRegion<4, Context>(PMPD_DECODE),
      makeRegion<3, Context>(PMPD_DECODE),
      makeRegion<2, Context>(PMPD_DECODE),
  };
  static const pmpd_classifier_desc classifiers[] = {
      {3, 2, kClasses, 0, kClasses * sizeof(float), classify<3>},
      {4, 3, kClasses, 0, kClasses * sizeof(float), classify<4>},
  };
  static const pmpd_model_desc desc = [] {
    pmpd_model_desc made = {};
    made.struct_bytes = sizeof(made);
    made.abi_version = PMPD_ABI_VERSION;
    made.name = "fake";
    made.triple = "x86_64-unknown-linux-gnu";
    made.cpu_features = "";
    made.vocab = kVocab;
    made.hidden = kHidden;
    made.layers = kLayers;
    made.heads = made.kv_heads = kKvHeads;
    made.head_dim = kHeadDim;
    made.context = Context;
    made.kv_element = PMPD_F32;
    made.kv_bytes =
        uint64_t(kLayers) * 2 * kKvHeads * Context * kHeadDim * sizeof(float);
    pmpd_weights_header header = readHeader(fakeWeights());
    std::memcpy(made.weights_digest, header.digest, sizeof(header.digest));
    made.region_count = sizeof(regions) / sizeof(regions[0]);
    made.regions = regions;
    if (Context == kContext) {
      made.classifier_count = sizeof(classifiers) / sizeof(classifiers[0]);
      made.classifiers = classifiers;
    }
    return made;
  }();
  return &desc;
}

void runSerially(void *, pmpd_kernel kernel, const pmpd_kernel_args *args,
                 int64_t tasks) {
  kernel(args, 0, tasks);
}

} // namespace

std::vector<uint8_t> pmpd::test::fakeWeights() {
  std::vector<float> embeddings(kVocab * kHidden);
  for (size_t i = 0; i < embeddings.size(); ++i)
    embeddings[i] = float((i * 7919) % 1000) / 500.0f - 1.0f;
  WeightFileBuilder builder;
  builder.addDense("embedding", kVocab, kHidden, embeddings);
  builder.addNested("linear", 20, 64, 32);
  return builder.build();
}

const pmpd_model_desc *pmpd::test::fakeModel() { return makeModel<kContext>(); }

const pmpd_model_desc *pmpd::test::fakeLongModel() {
  return makeModel<kLongContext>();
}

int32_t pmpd::test::fakeClass(const uint8_t *cache, int64_t tokens,
                              int32_t from) {
  auto *plane = stateAt<kContext>(const_cast<uint8_t *>(cache), kLayers - 1,
                                  from == 4 ? 0 : 1, 0, 0);
  return classOf(plane, tokens, from);
}

Reference::Reference()
    : weights(fakeWeights()), cache(fakeModel()->kv_bytes),
      scratch(kPrefillRows * kHidden * sizeof(float)) {}

std::vector<float> Reference::run(pmpd_phase phase, int32_t bits,
                                  const std::vector<int32_t> &tokens) {
  std::vector<float> logits(kVocab);
  for (int32_t token : tokens) { // row by row, so that chunks are tested too
    pmpd_region_args args = {};
    args.weights = weights.data();
    args.scratch = scratch.data();
    args.kv = cache.data();
    args.tokens = &token;
    args.logits = logits.data();
    args.rows = args.logit_rows = 1;
    args.position = held++;
    args.parallel_for = runSerially;
    for (int32_t i = 0; i < fakeModel()->region_count; ++i)
      if (fakeModel()->regions[i].phase == phase &&
          fakeModel()->regions[i].bits == bits)
        fakeModel()->regions[i].entry(&args);
  }
  return logits;
}
