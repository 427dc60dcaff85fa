// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What stand-ins for NVIDIA's libraries share: a libcublas.so.13 and a
// libcublasLt.so.13 whose products run on the driver of the tests.
#ifndef PMPD_TEST_SIMT_CUDA_FAKEPRODUCT_H
#define PMPD_TEST_SIMT_CUDA_FAKEPRODUCT_H

#include "lib/Quant/Half.h"
#include "test/simt/cuda/Fake.h"

namespace pmpd::fakecuda {

// Of cublas_api.h and library_types.h.
enum { kOpN = 0, kOpT = 1, kReal16F = 2, kReal32F = 0, kCompute32F = 68 };

/// Column-major, of fp16.
struct Matrix {
  Address data;
  uint64_t rows, cols, stride;

  uint64_t bytes() const { return 2 * (stride * (cols - 1) + rows); }
  uint16_t *map(const char *what) const {
    if (stride < rows)
      misuse(std::string(what) + " has columns that overlap");
    return reinterpret_cast<uint16_t *>(
        driver().memory.at(data, bytes(), what));
  }
};

/// Queues c = op(a) * b.
inline void queueProduct(StreamHandle stream, bool transposeA, Matrix a,
                         Matrix b, Matrix c) {
  const uint64_t rows = transposeA ? a.cols : a.rows;
  const uint64_t inner = transposeA ? a.rows : a.cols;
  if (rows != c.rows || inner != b.rows || b.cols != c.cols)
    misuse("a product of matrices that do not fit");
  a.map("the matrix a"), b.map("the matrix b"), c.map("the matrix c");
  queueOf(stream).add([=] {
    const uint16_t *left = a.map("the matrix a");
    const uint16_t *right = b.map("the matrix b");
    uint16_t *out = c.map("the matrix c");
    for (uint64_t j = 0; j < c.cols; ++j)
      for (uint64_t i = 0; i < rows; ++i) {
        float sum = 0;
        for (uint64_t k = 0; k < inner; ++k)
          sum += halfToFloat(
                     left[transposeA ? i * a.stride + k : k * a.stride + i]) *
                 halfToFloat(right[j * b.stride + k]);
        out[j * c.stride + i] = floatToHalf(sum);
      }
    return std::string();
  });
}

/// Ends the process unless the scalars are 1 and 0, on the host.
inline void expectPlainProduct(const void *alpha, const void *beta) {
  if (*static_cast<const float *>(alpha) != 1 ||
      *static_cast<const float *>(beta) != 0)
    misuse("a product other than with 1 and 0");
}

} // namespace pmpd::fakecuda

#endif // PMPD_TEST_SIMT_CUDA_FAKEPRODUCT_H
