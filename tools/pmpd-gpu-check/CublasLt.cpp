// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/pmpd-gpu-check/CublasLt.h"

#include <iostream>

using namespace pmpd;
using namespace pmpd::tools;

struct CublasLt::Functions {
  int (*create)(void **);
  int (*destroy)(void *);
  int (*createProduct)(void **, int compute, int scale);
  int (*setProduct)(void *, int attribute, const void *value, size_t bytes);
  int (*destroyProduct)(void *);
  int (*createLayout)(void **, int type, uint64_t rows, uint64_t cols,
                      int64_t stride);
  int (*destroyLayout)(void *);
  int (*createPreference)(void **);
  int (*setPreference)(void *, int attribute, const void *value, size_t bytes);
  int (*destroyPreference)(void *);
  int (*heuristics)(void *handle, void *product, void *a, void *b, void *c,
                    void *d, void *preference, int wanted, cublas::Heuristic *,
                    int *found);
  int (*multiply)(void *handle, void *product, const void *alpha,
                  cuda::Address a, void *layoutA, cuda::Address b,
                  void *layoutB, const void *beta, cuda::Address c,
                  void *layoutC, cuda::Address d, void *layoutD,
                  const cublas::Algorithm *, cuda::Address workspace, size_t,
                  cuda::StreamHandle);

  explicit Functions(void *library) {
    using cublas::find;
    find(library, create, "cublasLtCreate");
    find(library, destroy, "cublasLtDestroy");
    find(library, createProduct, "cublasLtMatmulDescCreate");
    find(library, setProduct, "cublasLtMatmulDescSetAttribute");
    find(library, destroyProduct, "cublasLtMatmulDescDestroy");
    find(library, createLayout, "cublasLtMatrixLayoutCreate");
    find(library, destroyLayout, "cublasLtMatrixLayoutDestroy");
    find(library, createPreference, "cublasLtMatmulPreferenceCreate");
    find(library, setPreference, "cublasLtMatmulPreferenceSetAttribute");
    find(library, destroyPreference, "cublasLtMatmulPreferenceDestroy");
    find(library, heuristics, "cublasLtMatmulAlgoGetHeuristic");
    find(library, multiply, "cublasLtMatmul");
  }
};

/// What the library has to know of a product. Column-major is its view:
/// [batch, rows] row-major is rows x batch.
struct CublasLt::Descriptors {
  Descriptors(const Functions &call, const HalfProduct &product) : call(call) {
    cublas::check(
        call.createProduct(&matmul, cublas::kComputeF32, cublas::kFloat),
        "cublasLtMatmulDescCreate");
    const int32_t transpose =
        product.transposed() ? cublas::kTranspose : cublas::kNoTranspose;
    cublas::check(call.setProduct(matmul, cublas::kTransposeA, &transpose,
                                  sizeof(transpose)),
                  "cublasLtMatmulDescSetAttribute");
    layout(weight, product.weightRows(), product.weightCols());
    layout(in, product.cols, product.batch);
    layout(out, product.rows, product.batch);
    cublas::check(call.createPreference(&preference),
                  "cublasLtMatmulPreferenceCreate");
    cublas::check(call.setPreference(preference, cublas::kMaxWorkspaceBytes,
                                     &cublas::kWorkspaceBytes,
                                     sizeof(cublas::kWorkspaceBytes)),
                  "cublasLtMatmulPreferenceSetAttribute");
  }
  Descriptors(const Descriptors &) = delete;
  ~Descriptors() {
    if (preference)
      call.destroyPreference(preference);
    for (void *each : {out, in, weight})
      if (each)
        call.destroyLayout(each);
    if (matmul)
      call.destroyProduct(matmul);
  }

  void layout(void *&made, int64_t rows, int64_t cols) {
    cublas::check(
        call.createLayout(&made, cublas::kHalf, rows, cols, /*stride=*/rows),
        "cublasLtMatrixLayoutCreate");
  }

  const Functions &call;
  void *matmul = nullptr, *weight = nullptr, *in = nullptr, *out = nullptr;
  void *preference = nullptr;
};

std::unique_ptr<CublasLt> CublasLt::open(const Gpu &gpu) {
  void *library = cublas::openLibrary("libcublasLt");
  if (!library)
    return nullptr;
  std::unique_ptr<CublasLt> opened(new CublasLt(gpu));
  opened->functions = std::make_unique<Functions>(library);
  if (int status = opened->functions->create(&opened->handle)) {
    std::cerr << "cuBLASLt is not compared with: cublasLtCreate failed with "
                 "status "
              << status << "\n";
    return nullptr;
  }
  return opened;
}

CublasLt::CublasLt(const Gpu &gpu) : stream(gpu.stream()) {
  check(cuda::allocate(gpu.device(), cublas::kWorkspaceBytes,
                       "workspace of cuBLASLt", workspace));
}

CublasLt::~CublasLt() {
  if (handle)
    functions->destroy(handle);
}

std::vector<HalfMultiply> CublasLt::multiplies(const HalfProduct &product,
                                               int count) const {
  auto described = std::make_shared<Descriptors>(*functions, product);
  std::vector<cublas::Heuristic> best(count);
  int found = 0;
  std::vector<HalfMultiply> list;
  if (functions->heuristics(handle, described->matmul, described->weight,
                            described->in, described->out, described->out,
                            described->preference, count, best.data(), &found))
    return list; // it has none
  for (int i = 0; i < found; ++i) {
    if (best[i].state != 0)
      continue;
    auto queue = [this, described, algorithm = best[i].algorithm](
                     cuda::Address weight, cuda::Address in,
                     cuda::Address out) {
      const float one = 1, zero = 0;
      cublas::check(
          functions->multiply(handle, described->matmul, &one, weight,
                              described->weight, in, described->in, &zero, out,
                              described->out, out, described->out, &algorithm,
                              workspace.get(), cublas::kWorkspaceBytes, stream),
          "cublasLtMatmul");
    };
    list.push_back(
        {"algorithm " + std::to_string(i) + " of cublasLtMatmul", queue});
  }
  return list;
}
