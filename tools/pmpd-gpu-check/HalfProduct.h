// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Products of fp16 matrices by NVIDIA's libraries, opened where they are
// installed.
#ifndef PMPD_TOOLS_PMPD_GPU_CHECK_HALFPRODUCT_H
#define PMPD_TOOLS_PMPD_GPU_CHECK_HALFPRODUCT_H

#include "tools/pmpd-gpu-check/Gpu.h"
#include "tools/support/Tool.h"

#include <dlfcn.h>
#include <string>

namespace pmpd::tools {

/// out [batch, rows] = in [batch, cols] * weight^T, all fp16 with f32 sums.
struct HalfProduct {
  /// Which of both ways a weight [rows, cols] lies.
  enum class Order { RowMajor, ColumnMajor };

  int64_t rows, cols, batch;
  Order order;

  /// As a library sees it whose matrices are column-major: the weight is
  /// [weightRows, weightCols], or its transpose is wanted.
  bool transposed() const { return order == Order::RowMajor; }
  int64_t weightRows() const { return transposed() ? cols : rows; }
  int64_t weightCols() const { return transposed() ? rows : cols; }
};

/// A way to compute a product: queues it. Lives no longer than its library.
struct HalfMultiply {
  std::string name;
  std::function<void(cuda::Address weight, cuda::Address in, cuda::Address out)>
      queue;
};

// As in cublas_api.h and library_types.h.
namespace cublas {
constexpr int kNoTranspose = 0, kTranspose = 1;
constexpr int kHalf = 2, kFloat = 0; // CUDA_R_16F, CUDA_R_32F
constexpr int kComputeF32 = 68;      // CUBLAS_COMPUTE_32F
// What NVIDIA advises for Hopper; a graph cannot allocate it by itself.
constexpr uint64_t kWorkspaceBytes = 32 << 20;

inline void check(int status, const char *call) {
  if (status != 0)
    throw ToolError(std::string(call) + " failed with status " +
                    std::to_string(status));
}

/// The library of the newest CUDA, or null; stays for the life of the process.
inline void *openLibrary(const std::string &name) {
  for (const char *version : {".so.13", ".so.12", ".so.11", ".so"})
    if (void *library = dlopen((name + version).c_str(), RTLD_NOW | RTLD_LOCAL))
      return library;
  return nullptr;
}

template <typename Function>
void find(void *library, Function &function, const char *name) {
  function = reinterpret_cast<Function>(dlsym(library, name));
  if (!function)
    throw ToolError(std::string("expected cuBLAS to have ") + name +
                    ", but it lacks it");
}
} // namespace cublas

} // namespace pmpd::tools

#endif // PMPD_TOOLS_PMPD_GPU_CHECK_HALFPRODUCT_H
