// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What this project says of cuBLASLt against NVIDIA's header.
#include "tools/pmpd-gpu-check/CublasLt.h"

#include <cstddef>
#include <cublasLt.h>
#include <gtest/gtest.h>

namespace ours = pmpd::tools::cublas;

TEST(CublasApiTest, constants_are_those_of_the_header) {
  EXPECT_EQ(ours::kNoTranspose, CUBLAS_OP_N);
  EXPECT_EQ(ours::kTranspose, CUBLAS_OP_T);
  EXPECT_EQ(ours::kHalf, CUDA_R_16F);
  EXPECT_EQ(ours::kFloat, CUDA_R_32F);
  EXPECT_EQ(ours::kComputeF32, CUBLAS_COMPUTE_32F);
  EXPECT_EQ(ours::kTransposeA, CUBLASLT_MATMUL_DESC_TRANSA);
  EXPECT_EQ(ours::kMaxWorkspaceBytes, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES);
}

TEST(CublasApiTest, heuristics_lie_as_in_the_header) {
  EXPECT_EQ(sizeof(ours::Algorithm), sizeof(cublasLtMatmulAlgo_t));
  EXPECT_EQ(sizeof(ours::Heuristic), sizeof(cublasLtMatmulHeuristicResult_t));
  EXPECT_EQ(offsetof(ours::Heuristic, workspaceBytes),
            offsetof(cublasLtMatmulHeuristicResult_t, workspaceSize));
  EXPECT_EQ(offsetof(ours::Heuristic, state),
            offsetof(cublasLtMatmulHeuristicResult_t, state));
}
