// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Written from the text of cublas_api.h.
#include "test/simt/cuda/FakeProduct.h"

using namespace pmpd::fakecuda;

namespace {
struct Handle {
  StreamHandle stream = nullptr;
  Address workspace = 0;
  size_t workspaceBytes = 0;
};
} // namespace

extern "C" {

int cublasCreate_v2(Handle **handle) {
  *handle = new Handle;
  return 0;
}

int cublasDestroy_v2(Handle *handle) {
  delete handle;
  return 0;
}

int cublasSetStream_v2(Handle *handle, StreamHandle stream) {
  handle->stream = stream;
  return 0;
}

int cublasSetWorkspace_v2(Handle *handle, Address workspace, size_t bytes) {
  handle->workspace = workspace;
  handle->workspaceBytes = bytes;
  return 0;
}

int cublasGemmEx(Handle *handle, int transposeA, int transposeB, int m, int n,
                 int k, const void *alpha, Address a, int typeA, int strideA,
                 Address b, int typeB, int strideB, const void *beta, Address c,
                 int typeC, int strideC, int compute, int) {
  if (typeA != kReal16F || typeB != kReal16F || typeC != kReal16F ||
      compute != kCompute32F || transposeB != kOpN)
    misuse("cublasGemmEx of other than fp16 with f32 sums");
  if (handle->workspaceBytes == 0)
    misuse("cublasGemmEx without a workspace, which a graph cannot allocate");
  driver().memory.at(handle->workspace, handle->workspaceBytes, "a workspace");
  expectPlainProduct(alpha, beta);
  const bool transposed = transposeA == kOpT;
  const uint64_t rows = m, cols = n, inner = k;
  queueProduct(handle->stream, transposed,
               {a, transposed ? inner : rows, transposed ? rows : inner,
                uint64_t(strideA)},
               {b, inner, cols, uint64_t(strideB)},
               {c, rows, cols, uint64_t(strideC)});
  return 0;
}

} // extern "C"
