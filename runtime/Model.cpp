// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/Model.h"

#include "runtime/Descriptor.h"
#include "runtime/Manifest.h"
#include "runtime/targets/cuda/LoadedModel.h"
#include "runtime/targets/npu/DeviceModel.h"

using namespace pmpd::rt;

#if defined(__aarch64__)
static constexpr const char *kHostTarget = "aarch64";
#else
static constexpr const char *kHostTarget = "x86-64";
#endif

pmpd_status Model::openWeights(const std::string &path, pmpd_verify verify,
                               Model &model) {
  return WeightFile::open(path, model.descriptor->weights_digest, verify,
                          model.weightFile);
}

pmpd_status Model::open(const pmpd_model_desc *desc, const std::string &weights,
                        const pmpd_model_options &options, Model &model) {
  if (pmpd_status status = checkDescriptor(*desc))
    return status;
  model.descriptor = desc;
  if (pmpd_status status = openWeights(weights, options.verify, model))
    return status;
  if (desc->gpu_image_count == 0)
    return PMPD_OK;
  return cuda::LoadedModel::load(*desc, model.weights(), model.weightBytes(),
                                 options.gpu, model.gpuModel);
}

pmpd_status Model::openHost(const Manifest &manifest,
                            const pmpd_model_options &options, Model &model) {
  if (manifest.target != kHostTarget && manifest.target != Manifest::kGpuTarget)
    return fail(PMPD_UNSUPPORTED_CPU,
                manifest.name + ": compiled for " + manifest.target +
                    ", this machine is " + kHostTarget +
                    "; recompile with --target " + kHostTarget);
  if (manifest.library.empty())
    return fail(PMPD_BAD_MODEL, manifest.name +
                                    ": compiled without a shared library; "
                                    "recompile with --emit shared");
  if (pmpd_status status = SharedLibrary::open(manifest.library, model.library))
    return status;
  using Describe = const pmpd_model_desc *(*)();
  auto describe =
      reinterpret_cast<Describe>(model.library.find(manifest.symbol));
  const pmpd_model_desc *desc = describe ? describe() : nullptr;
  if (!desc)
    return fail(PMPD_BAD_MODEL, manifest.library + ": expected a model at " +
                                    manifest.symbol +
                                    ", but there is none; recompile it");
  return open(desc, manifest.weights, options, model);
}

pmpd_status Model::openDevice(const Manifest &manifest, pmpd_verify verify,
                              Model &model) {
  if (pmpd_status status = npu::DeviceModel::open(
          manifest.program, manifest.name, model.deviceModel))
    return status;
  model.descriptor = &model.deviceModel->desc();
  return openWeights(manifest.weights, verify, model);
}

pmpd_status Model::openDirectory(const std::string &directory,
                                 const pmpd_model_options &options,
                                 Model &model) {
  Manifest manifest;
  if (pmpd_status status = Manifest::read(directory, manifest))
    return status;
  model.tokenizerPath = manifest.tokenizer;
  return manifest.target == Manifest::kNpuTarget
             ? openDevice(manifest, options.verify, model)
             : openHost(manifest, options, model);
}
