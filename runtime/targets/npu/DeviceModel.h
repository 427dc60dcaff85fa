// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_RUNTIME_TARGETS_NPU_DEVICEMODEL_H
#define PMPD_RUNTIME_TARGETS_NPU_DEVICEMODEL_H

#include "runtime/targets/npu/Hardware.h"
#include "runtime/targets/npu/Program.h"

#include <memory>

namespace pmpd::npu {

/// A model whose regions are programs of the NPU: the program file, the
/// hardware it was compiled for and the descriptor that sessions work by.
/// Immutable.
class DeviceModel {
public:
  /// Reads and checks a program file. `name` is the model's.
  /// Errors: NOT_FOUND, IO_ERROR, BAD_MODEL.
  static pmpd_status open(const std::string &path, const std::string &name,
                          std::shared_ptr<const DeviceModel> &model);

  /// Region i of the descriptor is region i of the program.
  const pmpd_model_desc &desc() const { return descriptor; }
  const Program &program() const { return code; }
  const Hardware &hardware() const { return config; }

private:
  void describe(const std::string &name);

  Program code;
  Hardware config;
  std::string name;
  std::vector<pmpd_region_desc> regions;
  pmpd_model_desc descriptor = {};
};

} // namespace pmpd::npu

#endif // PMPD_RUNTIME_TARGETS_NPU_DEVICEMODEL_H
