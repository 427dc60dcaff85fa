// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/pmpd-gpu-check/KernelSet.h"

#include "tools/support/Tool.h"

#include <nlohmann/json.hpp>

using namespace pmpd;
using namespace pmpd::tools;

KernelToLaunch KernelSet::add(const std::string &name, int threads,
                              int pointers, int64_t tasks, int64_t rowTile) {
  for (const pmpd_gpu_kernel &known : kernels)
    if (known.name == name)
      return {&known, tasks, rowTile};
  names.push_back(name);
  kernels.push_back({names.back().c_str(), threads, pointers});
  table.push_back(&kernels.back());
  return {&kernels.back(), tasks, rowTile};
}

KernelSet::KernelSet(const std::string &directory, int gpu)
    : ptx(readText(directory + "/kernels.ptx")) {
  using Json = nlohmann::json;
  std::string path = directory + "/kernels.json";
  Json json = Json::parse(readText(path), nullptr, false);
  try {
    auto take = [&](const Json &entry) {
      return add(entry.at("name"), entry.at("threads"), entry.at("pointers"),
                 entry.at("tasks"), entry.at("row_tile"));
    };
    readKernel = take(json.at("read"));
    bytesPerReadBlock = json.at("read").at("bytes_per_block");
    for (const Json &entry : json.at("linears"))
      list.push_back({{entry.at("rows"), entry.at("cols"), entry.at("group")},
                      entry.at("bits"),
                      entry.at("batch"),
                      entry.at("quantized_row_bytes"),
                      take(entry.at("quantize")),
                      take(entry.at("linear"))});
    image = {PMPD_GPU_PTX, json.at("sm"), ptx.c_str(), ptx.size() + 1};
  } catch (const Json::exception &error) {
    throw ToolError(path + ": expected what pmpd-bench gpu-kernels writes: " +
                    error.what());
  }
  desc.name = "kernels";
  desc.gpu_kernels = table.data();
  desc.gpu_kernel_count = int32_t(table.size());
  desc.gpu_images = &image;
  desc.gpu_image_count = 1;
  const uint8_t noWeights = 0;
  check(cuda::LoadedModel::load(desc, &noWeights, 1, gpu, model));
}
