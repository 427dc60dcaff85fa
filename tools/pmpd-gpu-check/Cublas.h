// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_TOOLS_PMPD_GPU_CHECK_CUBLAS_H
#define PMPD_TOOLS_PMPD_GPU_CHECK_CUBLAS_H

#include "tools/pmpd-gpu-check/HalfProduct.h"

#include <memory>

namespace pmpd::tools {

/// cuBLAS, which chooses an algorithm by itself.
class Cublas {
public:
  /// Null where there is no library, or none for this driver. Throws ToolError
  /// where it fails.
  static std::unique_ptr<Cublas> open(const Gpu &gpu);
  ~Cublas();

  HalfMultiply multiply(const HalfProduct &product) const;

private:
  struct Functions;
  explicit Cublas(const Gpu &gpu);

  std::unique_ptr<Functions> functions;
  void *handle = nullptr;
  cuda::DeviceMemory workspace;
};

} // namespace pmpd::tools

#endif // PMPD_TOOLS_PMPD_GPU_CHECK_CUBLAS_H
