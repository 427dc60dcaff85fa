// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Written from the text of cublasLt.h.
#include "test/simt/cuda/FakeProduct.h"

#include <cstring>

using namespace pmpd::fakecuda;

namespace {

int live = 0; // descriptors that were not destroyed

struct Product {
  int32_t transposeA = kOpN;
};
struct Layout {
  uint64_t rows, cols;
  int64_t stride;
};
struct Preference {
  uint64_t workspaceBytes = 0;
};
struct Algorithm {
  uint64_t data[8]; // the product it is for, and bytes of workspace
};
struct Heuristic {
  Algorithm algorithm;
  size_t workspaceBytes;
  int32_t state;
  float waves;
  int32_t reserved[4];
};

enum { kNotSupported = 15 };

template <typename T, typename... Values> int make(T **made, Values... values) {
  *made = new T{values...};
  ++live;
  return 0;
}

template <typename T> int destroy(T *made) {
  delete made;
  --live;
  return 0;
}

Matrix matrixOf(const Layout &layout, Address data) {
  return {data, layout.rows, layout.cols, uint64_t(layout.stride)};
}

} // namespace

extern "C" {

int cublasLtCreate(void **handle) {
  *handle = &live;
  return 0;
}

int cublasLtDestroy(void *) {
  if (live != 0)
    misuse("descriptors of cuBLASLt outlive its handle");
  return 0;
}

int cublasLtMatmulDescCreate(Product **product, int compute, int scale) {
  if (compute != kCompute32F || scale != kReal32F)
    misuse("cublasLtMatmulDescCreate of other than f32 sums");
  return make(product);
}

int cublasLtMatmulDescSetAttribute(Product *product, int attribute,
                                   const void *value, size_t bytes) {
  if (attribute != 3 || bytes != sizeof(product->transposeA))
    misuse("an attribute other than CUBLASLT_MATMUL_DESC_TRANSA");
  std::memcpy(&product->transposeA, value, bytes);
  return 0;
}

int cublasLtMatmulDescDestroy(Product *product) { return destroy(product); }

int cublasLtMatrixLayoutCreate(Layout **layout, int type, uint64_t rows,
                               uint64_t cols, int64_t stride) {
  if (type != kReal16F)
    misuse("cublasLtMatrixLayoutCreate of other than fp16");
  return make(layout, rows, cols, stride);
}

int cublasLtMatrixLayoutDestroy(Layout *layout) { return destroy(layout); }

int cublasLtMatmulPreferenceCreate(Preference **preference) {
  return make(preference);
}

int cublasLtMatmulPreferenceSetAttribute(Preference *preference, int attribute,
                                         const void *value, size_t bytes) {
  if (attribute != 1 || bytes != sizeof(preference->workspaceBytes))
    misuse("an attribute other than CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES");
  std::memcpy(&preference->workspaceBytes, value, bytes);
  return 0;
}

int cublasLtMatmulPreferenceDestroy(Preference *preference) {
  return destroy(preference);
}

/// Two algorithms, one of which needs all of the workspace, and one that turns
/// out not to be supported.
int cublasLtMatmulAlgoGetHeuristic(void *, Product *product, Layout *a,
                                   Layout *b, Layout *c, Layout *d,
                                   Preference *preference, int wanted,
                                   Heuristic *results, int *found) {
  if (c->rows != d->rows || c->cols != d->cols || a->stride < 1 ||
      b->stride < 1)
    misuse("cublasLtMatmulAlgoGetHeuristic of layouts that do not fit");
  *found = std::min(wanted, 3);
  for (int i = 0; i < *found; ++i) {
    results[i] = {};
    results[i].workspaceBytes = i == 0 ? preference->workspaceBytes : 0;
    results[i].algorithm.data[0] = reinterpret_cast<uint64_t>(product);
    results[i].algorithm.data[1] = results[i].workspaceBytes;
    results[i].state = i == 2 ? kNotSupported : 0;
  }
  return 0;
}

int cublasLtMatmul(void *, Product *product, const void *alpha, Address a,
                   Layout *layoutA, Address b, Layout *layoutB,
                   const void *beta, Address c, Layout *layoutC, Address d,
                   Layout *layoutD, const Algorithm *algorithm,
                   Address workspace, size_t workspaceBytes,
                   StreamHandle stream) {
  if (algorithm->data[0] != reinterpret_cast<uint64_t>(product))
    misuse("cublasLtMatmul with an algorithm of another product");
  if (workspaceBytes < algorithm->data[1])
    misuse("cublasLtMatmul with too small a workspace");
  if (c != d || layoutC != layoutD)
    misuse("cublasLtMatmul into another matrix than the one it adds");
  driver().memory.at(workspace, workspaceBytes, "a workspace");
  expectPlainProduct(alpha, beta);
  queueProduct(stream, product->transposeA == kOpT, matrixOf(*layoutA, a),
               matrixOf(*layoutB, b), matrixOf(*layoutD, d));
  return 0;
}

} // extern "C"
