// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/targets/cuda/LoadedModel.h"

#include <algorithm>
#include <vector>

using namespace pmpd::cuda;
using pmpd::rt::fail;

namespace {

constexpr size_t kLogBytes = 8 << 10;
constexpr int kOverlapsInGraphs = 12030; // the oldest CUDA

// Errors that say something of the image, not of the device.
constexpr Result kInvalidImage = 200;
constexpr Result kNoBinaryForGpu = 209;
constexpr Result kInvalidPtx = 218;
constexpr Result kUnsupportedPtxVersion = 222;
constexpr Result kNotFound = 500;

bool refusesImage(Result result) {
  for (Result known :
       {kInvalidImage, kNoBinaryForGpu, kInvalidPtx, kUnsupportedPtxVersion})
    if (result == known)
      return true;
  return false;
}

std::string imageName(const pmpd_gpu_image &image) {
  return (image.kind == PMPD_GPU_PTX ? "PTX for sm_" : "cubin for sm_") +
         std::to_string(image.sm);
}

pmpd_status failNoImage(const pmpd_model_desc &desc, const Device &device) {
  std::string list;
  for (int32_t i = 0; i < desc.gpu_image_count; ++i)
    list += (list.empty() ? "" : ", ") + imageName(desc.gpu_images[i]);
  std::string sm = "sm_" + std::to_string(device.sm());
  std::string advice =
      device.sm() < PMPD_GPU_OLDEST_SM
          ? "GPUs older than sm_" + std::to_string(PMPD_GPU_OLDEST_SM) +
                " are not supported, take another or recompile with --target "
                "x86-64"
          : "recompile with --gpu " + sm;
  return fail(PMPD_NO_DEVICE, std::string(desc.name) + ": has " + list +
                                  ", which do not run on " + device.name() +
                                  " (" + sm + "); " + advice);
}

/// Translates PTX where needed; what the compiler in the driver says goes into
/// the error.
pmpd_status loadImage(const Device &device, const pmpd_gpu_image &image,
                      const char *model, Module &module) {
  std::vector<char> log(kLogBytes);
  JitOption options[] = {kJitErrorLogBuffer, kJitErrorLogBufferBytes};
  void *values[] = {log.data(), reinterpret_cast<void *>(log.size())};
  auto load = [&](ModuleHandle *handle) {
    const auto &call = device.api().moduleLoad;
    Result result = call.function(handle, image.data, 2, options, values);
    pmpd_status status = checkCall(call.name, result);
    if (status == PMPD_OK)
      return status;
    std::string text = std::string(model) + ": the " + imageName(image) +
                       " was refused on " + device.name() + ": " +
                       pmpd_last_error();
    log.back() = 0;
    if (log[0])
      text += std::string("; its log: ") + log.data();
    return fail(refusesImage(result) ? PMPD_BAD_MODEL : status,
                text +
                    "; update the NVIDIA driver or recompile with --gpu sm_" +
                    std::to_string(device.sm()));
  };
  return module.create(device, load);
}

/// How well an image suits a device: -1 not at all.
int rankOf(const pmpd_gpu_image &image, int sm) {
  if (image.sm > sm)
    return -1;
  if (image.kind == PMPD_GPU_PTX)
    return image.sm;
  return image.sm / 10 == sm / 10 ? 1000 + image.sm : -1;
}

} // namespace

const pmpd_gpu_image *pmpd::cuda::chooseImage(const pmpd_model_desc &desc,
                                              int sm) {
  const pmpd_gpu_image *best = nullptr;
  for (int32_t i = 0; i < desc.gpu_image_count; ++i) {
    const pmpd_gpu_image &image = desc.gpu_images[i];
    if (rankOf(image, sm) > (best ? rankOf(*best, sm) : -1))
      best = &image;
  }
  return best;
}

pmpd_status LoadedModel::loadKernels(const pmpd_model_desc &desc) {
  const pmpd_gpu_image *image = chooseImage(desc, gpu->sm());
  if (!image)
    return failNoImage(desc, *gpu);
  if (pmpd_status status = loadImage(*gpu, *image, desc.name, module))
    return status;
  overlaps =
      image->sm >= PMPD_GPU_OVERLAP_SM && gpu->driver() >= kOverlapsInGraphs;
  const auto &find = gpu->api().moduleGetFunction;
  for (int32_t i = 0; i < desc.gpu_kernel_count; ++i) {
    const pmpd_gpu_kernel *kernel = desc.gpu_kernels[i];
    Result result =
        find.function(&functions[kernel], module.get(), kernel->name);
    if (result == kNotFound)
      return fail(PMPD_BAD_MODEL, std::string(desc.name) + ": the " +
                                      imageName(*image) + " lacks the kernel " +
                                      kernel->name + "; recompile the model");
    if (pmpd_status status = checkCall(find.name, result))
      return status;
  }
  return PMPD_OK;
}

pmpd_status LoadedModel::load(const pmpd_model_desc &desc,
                              const uint8_t *weights, uint64_t weightBytes,
                              int ordinal,
                              std::shared_ptr<const LoadedModel> &model) {
  std::unique_ptr<Device> device;
  if (pmpd_status status = Device::open(ordinal, device))
    return status;
  auto loaded = std::make_shared<LoadedModel>(std::move(device));
  Current current(*loaded->gpu);
  if (pmpd_status status = current.status())
    return status;
  if (pmpd_status status = loaded->loadKernels(desc))
    return status;
  if (pmpd_status status =
          allocate(*loaded->gpu, weightBytes, "weights", loaded->weightMemory))
    return status;
  if (pmpd_status status = upload(*loaded->gpu, weights, weightBytes,
                                  loaded->weightMemory.get()))
    return status;
  model = std::move(loaded);
  return PMPD_OK;
}
