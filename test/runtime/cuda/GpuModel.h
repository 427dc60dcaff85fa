// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The fake model in the form that is compiled for GPUs: its regions launch, and
// its kernels are in a library of their own (Kernels.cpp) as pmpd-simt makes
// them.
#ifndef PMPD_TEST_RUNTIME_CUDA_GPUMODEL_H
#define PMPD_TEST_RUNTIME_CUDA_GPUMODEL_H

#include "test/runtime/FakeModel.h"

#include <string>

namespace pmpd::test {

/// Bytes of scratch memory that the kernel that chooses tokens writes, more
/// than those of the regions.
constexpr uint64_t kSampleScratch = 6 << 10;

/// As fakeModel(), for a GPU, with PTX for sm_80.
const pmpd_model_desc *fakeGpuModel();

/// A kernel for gpu_sample, and listed like the first one, that finds no token.
extern const pmpd_gpu_kernel sampleNothing;

/// As fakeLongModel().
const pmpd_model_desc *fakeLongGpuModel();

/// Names of its kernels with their arguments, the call included.
struct GpuKernelEntry {
  std::string name;
  int arguments;
};
std::vector<GpuKernelEntry> fakeGpuKernels();

/// PTX that has the entries of the kernels but for `without`.
std::string fakePtx(int sm, const std::string &without = "");

} // namespace pmpd::test

#endif // PMPD_TEST_RUNTIME_CUDA_GPUMODEL_H
