// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_TOOLS_PMPD_GPU_CHECK_CUBLASLT_H
#define PMPD_TOOLS_PMPD_GPU_CHECK_CUBLASLT_H

#include "tools/pmpd-gpu-check/HalfProduct.h"

#include <memory>

namespace pmpd::tools {

// As in cublasLt.h.
namespace cublas {
constexpr int kTransposeA = 3;        // CUBLASLT_MATMUL_DESC_TRANSA
constexpr int kMaxWorkspaceBytes = 1; // CUBLASLT_MATMUL_PREF_...
struct Algorithm {
  uint64_t data[8];
};
struct Heuristic {
  Algorithm algorithm;
  size_t workspaceBytes;
  int state;
  float waves;
  int reserved[4];
};
} // namespace cublas

/// cuBLASLt, which says what algorithms it deems best.
class CublasLt {
public:
  /// Null where there is no library, or none for this driver.
  static std::unique_ptr<CublasLt> open(const Gpu &gpu);
  ~CublasLt();

  /// At most `count` ways, the best first; none where the library has none.
  /// Throws ToolError where it fails.
  std::vector<HalfMultiply> multiplies(const HalfProduct &product,
                                       int count) const;

private:
  struct Functions;
  struct Descriptors;
  explicit CublasLt(const Gpu &gpu);

  std::unique_ptr<Functions> functions;
  void *handle = nullptr;
  cuda::StreamHandle stream;
  cuda::DeviceMemory workspace;
};

} // namespace pmpd::tools

#endif // PMPD_TOOLS_PMPD_GPU_CHECK_CUBLASLT_H
