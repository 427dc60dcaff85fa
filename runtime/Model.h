// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_RUNTIME_MODEL_H
#define PMPD_RUNTIME_MODEL_H

#include "runtime/SharedLibrary.h"
#include "runtime/WeightFile.h"

#include <memory>

namespace pmpd::cuda {
class LoadedModel;
}
namespace pmpd::npu {
class DeviceModel;
}

namespace pmpd::rt {

struct Manifest;

/// A descriptor and its weights, both checked. Immutable.
class Model {
public:
  /// Errors: as pmpd_model_open.
  static pmpd_status open(const pmpd_model_desc *desc,
                          const std::string &weights,
                          const pmpd_model_options &options, Model &model);

  /// Errors: as pmpd_model_open_directory.
  static pmpd_status openDirectory(const std::string &directory,
                                   const pmpd_model_options &options,
                                   Model &model);

  const pmpd_model_desc &desc() const { return *descriptor; }
  const uint8_t *weights() const { return weightFile.data(); }
  uint64_t weightBytes() const { return weightFile.bytes(); }

  /// The programs of a model compiled for the NPU, else null.
  const npu::DeviceModel *device() const { return deviceModel.get(); }

  /// What a GPU holds of a model compiled for one, else null.
  const cuda::LoadedModel *gpu() const { return gpuModel.get(); }

  /// Path of the tokenizer beside the model, "" if there is none.
  const std::string &tokenizer() const { return tokenizerPath; }

private:
  static pmpd_status openHost(const Manifest &manifest,
                              const pmpd_model_options &options, Model &model);
  static pmpd_status openDevice(const Manifest &manifest, pmpd_verify verify,
                                Model &model);
  static pmpd_status openWeights(const std::string &path, pmpd_verify verify,
                                 Model &model);

  SharedLibrary library; // one of these holds *descriptor; they go last
  std::shared_ptr<const npu::DeviceModel> deviceModel;
  const pmpd_model_desc *descriptor = nullptr;
  WeightFile weightFile;
  std::shared_ptr<const cuda::LoadedModel> gpuModel;
  std::string tokenizerPath;
};

} // namespace pmpd::rt

/// Sessions share the model, so that closing it early is harmless.
struct pmpd_model {
  std::shared_ptr<const pmpd::rt::Model> shared;
};

#endif // PMPD_RUNTIME_MODEL_H
