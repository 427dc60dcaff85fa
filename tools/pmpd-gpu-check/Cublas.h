// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_TOOLS_PMPD_GPU_CHECK_CUBLAS_H
#define PMPD_TOOLS_PMPD_GPU_CHECK_CUBLAS_H

#include "tools/pmpd-gpu-check/Gpu.h"

#include <memory>

namespace pmpd::tools {

/// Products of fp16 matrices by NVIDIA's library, opened where it is installed.
class Cublas {
public:
  /// Null where there is no library, or none for this driver. Throws ToolError
  /// where it fails.
  static std::unique_ptr<Cublas> open(const Gpu &gpu);
  ~Cublas();

  /// Which of both ways a weight [rows, cols] lies.
  enum class Order { RowMajor, ColumnMajor };

  /// Queues out [batch, rows] = in [batch, cols] * weight^T, all fp16 with f32
  /// sums.
  void multiply(int64_t rows, int64_t cols, int64_t batch, Order order,
                cuda::Address weight, cuda::Address in,
                cuda::Address out) const;

private:
  struct Functions;
  explicit Cublas(const Gpu &gpu);

  std::unique_ptr<Functions> functions;
  void *handle = nullptr;
  cuda::DeviceMemory workspace;
};

} // namespace pmpd::tools

#endif // PMPD_TOOLS_PMPD_GPU_CHECK_CUBLAS_H
