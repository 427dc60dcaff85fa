// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/pmpd-gpu-check/Cublas.h"

#include <iostream>

using namespace pmpd;
using namespace pmpd::tools;

static constexpr int kDefaultAlgorithm = -1;

struct Cublas::Functions {
  int (*create)(void **);
  int (*destroy)(void *);
  int (*setStream)(void *, cuda::StreamHandle);
  int (*setWorkspace)(void *, cuda::Address, size_t);
  int (*gemm)(void *handle, int transposeA, int transposeB, int m, int n, int k,
              const void *alpha, cuda::Address a, int typeA, int strideA,
              cuda::Address b, int typeB, int strideB, const void *beta,
              cuda::Address c, int typeC, int strideC, int compute,
              int algorithm);

  explicit Functions(void *library) {
    cublas::find(library, create, "cublasCreate_v2");
    cublas::find(library, destroy, "cublasDestroy_v2");
    cublas::find(library, setStream, "cublasSetStream_v2");
    cublas::find(library, setWorkspace, "cublasSetWorkspace_v2");
    cublas::find(library, gemm, "cublasGemmEx");
  }
};

std::unique_ptr<Cublas> Cublas::open(const Gpu &gpu) {
  void *library = cublas::openLibrary("libcublas");
  if (!library)
    return nullptr;
  std::unique_ptr<Cublas> opened(new Cublas(gpu));
  opened->functions = std::make_unique<Functions>(library);
  const Functions &call = *opened->functions;
  if (int status = call.create(&opened->handle)) {
    std::cerr << "cuBLAS is not compared with: cublasCreate failed with status "
              << status << "\n";
    return nullptr;
  }
  cublas::check(call.setStream(opened->handle, gpu.stream()),
                "cublasSetStream");
  cublas::check(call.setWorkspace(opened->handle, opened->workspace.get(),
                                  cublas::kWorkspaceBytes),
                "cublasSetWorkspace");
  return opened;
}

Cublas::Cublas(const Gpu &gpu) {
  check(cuda::allocate(gpu.device(), cublas::kWorkspaceBytes,
                       "workspace of cuBLAS", workspace));
}

Cublas::~Cublas() {
  if (handle)
    functions->destroy(handle);
}

// Column-major is the library's view: [batch, rows] row-major is rows x batch.
HalfMultiply Cublas::multiply(const HalfProduct &product) const {
  auto queue = [this, product](cuda::Address weight, cuda::Address in,
                               cuda::Address out) {
    const float one = 1, zero = 0;
    cublas::check(
        functions->gemm(
            handle,
            product.transposed() ? cublas::kTranspose : cublas::kNoTranspose,
            cublas::kNoTranspose, int(product.rows), int(product.batch),
            int(product.cols), &one, weight, cublas::kHalf,
            int(product.weightRows()), in, cublas::kHalf, int(product.cols),
            &zero, out, cublas::kHalf, int(product.rows), cublas::kComputeF32,
            kDefaultAlgorithm),
        "cublasGemmEx");
  };
  return {"cublasGemmEx", queue};
}
