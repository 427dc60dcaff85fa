// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/pmpd-gpu-check/Cublas.h"

#include "tools/support/Tool.h"

#include <dlfcn.h>
#include <iostream>

using namespace pmpd;
using namespace pmpd::tools;

namespace {

// As in cublas_api.h and library_types.h.
constexpr int kNoTranspose = 0, kTranspose = 1;
constexpr int kHalf = 2;        // CUDA_R_16F
constexpr int kComputeF32 = 68; // CUBLAS_COMPUTE_32F
constexpr int kDefaultAlgorithm = -1;

// What NVIDIA advises for Hopper; a graph cannot allocate it by itself.
constexpr uint64_t kWorkspaceBytes = 32 << 20;

void *openLibrary() {
  for (const char *name : {"libcublas.so.13", "libcublas.so.12",
                           "libcublas.so.11", "libcublas.so"})
    if (void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL))
      return library;
  return nullptr;
}

void checkCublas(int status, const char *call) {
  if (status != 0)
    throw ToolError(std::string(call) + " failed with status " +
                    std::to_string(status));
}

} // namespace

struct Cublas::Functions {
  int (*create)(void **) = nullptr;
  int (*destroy)(void *) = nullptr;
  int (*setStream)(void *, cuda::StreamHandle) = nullptr;
  int (*setWorkspace)(void *, cuda::Address, size_t) = nullptr;
  int (*gemm)(void *, int, int, int, int, int, const void *, cuda::Address, int,
              int, cuda::Address, int, int, const void *, cuda::Address, int,
              int, int, int) = nullptr;

  explicit Functions(void *library) {
    auto find = [&](auto &function, const char *name) {
      function = reinterpret_cast<std::decay_t<decltype(function)>>(
          dlsym(library, name));
      if (!function)
        throw ToolError(std::string("expected cuBLAS to have ") + name +
                        ", but it lacks it");
    };
    find(create, "cublasCreate_v2");
    find(destroy, "cublasDestroy_v2");
    find(setStream, "cublasSetStream_v2");
    find(setWorkspace, "cublasSetWorkspace_v2");
    find(gemm, "cublasGemmEx");
  }
};

std::unique_ptr<Cublas> Cublas::open(const Gpu &gpu) {
  void *library = openLibrary(); // stays for the life of the process
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
  checkCublas(call.setStream(opened->handle, gpu.stream()), "cublasSetStream");
  checkCublas(call.setWorkspace(opened->handle, opened->workspace.get(),
                                kWorkspaceBytes),
              "cublasSetWorkspace");
  return opened;
}

Cublas::Cublas(const Gpu &gpu) {
  check(cuda::allocate(gpu.device(), kWorkspaceBytes, "workspace of cuBLAS",
                       workspace));
}

Cublas::~Cublas() {
  if (handle)
    functions->destroy(handle);
}

// Column-major is the library's view: [batch, rows] row-major is rows x batch.
void Cublas::multiply(int64_t rows, int64_t cols, int64_t batch, Order order,
                      cuda::Address weight, cuda::Address in,
                      cuda::Address out) const {
  const float one = 1, zero = 0;
  const bool transposed = order == Order::RowMajor;
  checkCublas(functions->gemm(
                  handle, transposed ? kTranspose : kNoTranspose, kNoTranspose,
                  int(rows), int(batch), int(cols), &one, weight, kHalf,
                  int(transposed ? cols : rows), in, kHalf, int(cols), &zero,
                  out, kHalf, int(rows), kComputeF32, kDefaultAlgorithm),
              "cublasGemmEx");
}
