// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/targets/npu/DeviceModel.h"
#include "pmpd/layout.h"
#include "runtime/Descriptor.h"
#include "runtime/Mapping.h"

#include <algorithm>
#include <filesystem>

using namespace pmpd::npu;
using pmpd::rt::Mapping;

void DeviceModel::describe(const std::string &model) {
  name = model;
  const pmpd_npu_abi &abi = code.abi();
  for (const pmpd_npu_region &region : code.regions()) {
    pmpd_region_desc desc = {};
    desc.phase = region.phase;
    desc.bits = region.bits;
    desc.max_rows = static_cast<int32_t>(region.max_rows);
    desc.weight_bytes = region.weight_bytes;
    regions.push_back(desc);
  }
  descriptor.struct_bytes = sizeof(descriptor);
  descriptor.abi_version = PMPD_ABI_VERSION;
  descriptor.name = name.c_str();
  descriptor.triple = "pnpu-1";
  descriptor.cpu_features = "";
  descriptor.vocab = static_cast<int32_t>(abi.vocab);
  descriptor.hidden = static_cast<int32_t>(abi.hidden);
  descriptor.layers = static_cast<int32_t>(abi.layers);
  descriptor.heads = static_cast<int32_t>(abi.heads);
  descriptor.kv_heads = static_cast<int32_t>(abi.kv_heads);
  descriptor.head_dim = static_cast<int32_t>(abi.head_dim);
  descriptor.context = static_cast<int32_t>(abi.context);
  descriptor.kv_element = PMPD_F16;
  descriptor.kv_bytes =
      uint64_t(4) * abi.layers * abi.kv_heads * abi.head_dim * abi.context;
  std::copy_n(code.header().weights_digest, PMPD_DIGEST_BYTES,
              descriptor.weights_digest);
  descriptor.region_count = static_cast<int32_t>(regions.size());
  descriptor.regions = regions.data();
}

pmpd_status DeviceModel::open(const std::string &path, const std::string &name,
                              std::shared_ptr<const DeviceModel> &model) {
  Mapping file;
  if (pmpd_status status = Mapping::ofFile(path, file))
    return status;
  auto opened = std::make_shared<DeviceModel>();
  if (pmpd_status status =
          Program::load(path, file.data(), file.size(), opened->code))
    return status;
  if (opened->code.abi().kv_format != PMPD_NPU_KV_F16)
    return rt::fail(PMPD_BAD_MODEL,
                    path +
                        ": expected a KV cache of f16, but "
                        "got format " +
                        std::to_string(opened->code.abi().kv_format) +
                        "; recompile the model");
  if (Hardware::parse(opened->code.hardwareText(), path, opened->config))
    return PMPD_BAD_MODEL; // the text says what is wrong
  opened->describe(name);
  if (pmpd_status status = rt::checkDimensions(opened->descriptor))
    return status;
  model = std::move(opened);
  return PMPD_OK;
}
