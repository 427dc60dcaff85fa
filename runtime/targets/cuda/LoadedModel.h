// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_RUNTIME_TARGETS_CUDA_LOADEDMODEL_H
#define PMPD_RUNTIME_TARGETS_CUDA_LOADEDMODEL_H

#include "runtime/targets/cuda/Memory.h"

#include <unordered_map>

namespace pmpd::cuda {

/// The kernels and weights of a model on a GPU; sessions share them.
class LoadedModel {
public:
  /// Loads the image that fits the GPU at `ordinal` and uploads the weight
  /// file. `desc` was checked and outlives it.
  /// Errors: NO_DEVICE (none, or none that the images are for), BAD_ARGUMENT
  /// (ordinal), BAD_MODEL (an image that the driver refuses, with its log, or
  /// that lacks a kernel), OUT_OF_MEMORY, DEVICE_ERROR.
  static pmpd_status load(const pmpd_model_desc &desc, const uint8_t *weights,
                          uint64_t weightBytes, int ordinal,
                          std::shared_ptr<const LoadedModel> &model);

  explicit LoadedModel(std::unique_ptr<Device> device)
      : gpu(std::move(device)) {}

  const Device &device() const { return *gpu; }
  Address weights() const { return weightMemory.get(); }

  /// Whether kernels wait themselves for those launched before, and the driver
  /// records that they do.
  bool launchesOverlap() const { return overlaps; }

  /// The entry of a kernel of the descriptor, or null for another one.
  FunctionHandle function(const pmpd_gpu_kernel *kernel) const {
    auto found = functions.find(kernel);
    return found == functions.end() ? nullptr : found->second;
  }

private:
  pmpd_status loadKernels(const pmpd_model_desc &desc);

  std::unique_ptr<Device> gpu;
  Module module;
  std::unordered_map<const pmpd_gpu_kernel *, FunctionHandle> functions;
  DeviceMemory weightMemory;
  bool overlaps = false;
};

/// The image for a device: the cubin of the highest fitting sm, else the PTX of
/// the highest; null if none fits.
const pmpd_gpu_image *chooseImage(const pmpd_model_desc &desc, int sm);

} // namespace pmpd::cuda

#endif // PMPD_RUNTIME_TARGETS_CUDA_LOADEDMODEL_H
