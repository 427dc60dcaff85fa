// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/targets/cuda/Device.h"

#include "runtime/targets/cuda/Driver.h"

using namespace pmpd::cuda;
using pmpd::rt::fail;

pmpd_status Device::retain() {
  char text[256] = "";
  if (pmpd_status status =
          functions.deviceGetName(text, sizeof(text), deviceId))
    return status;
  deviceName = text;
  int major = 0, minor = 0;
  if (pmpd_status status = functions.deviceGetAttribute(
          &major, kComputeCapabilityMajor, deviceId))
    return status;
  if (pmpd_status status = functions.deviceGetAttribute(
          &minor, kComputeCapabilityMinor, deviceId))
    return status;
  computeCapability = 10 * major + minor;
  if (pmpd_status status = functions.driverGetVersion(&driverVersion))
    return status;
  return functions.primaryContextRetain(&primary, deviceId);
}

Device::~Device() {
  if (primary)
    functions.primaryContextRelease.function(deviceId);
}

pmpd_status Device::open(int ordinal, std::unique_ptr<Device> &device) {
  const Api *api = nullptr;
  if (pmpd_status status = loadDriver(api))
    return status;
  int count = 0;
  if (pmpd_status status = api->deviceGetCount(&count))
    return status;
  if (count == 0)
    return fail(PMPD_NO_DEVICE, "expected a GPU, but the CUDA driver shows "
                                "none; look at CUDA_VISIBLE_DEVICES");
  if (ordinal < 0 || ordinal >= count)
    return fail(PMPD_BAD_ARGUMENT, "expected a GPU of 0 .. " +
                                       std::to_string(count - 1) +
                                       ", but got " + std::to_string(ordinal));
  DeviceId id = 0;
  if (pmpd_status status = api->deviceGet(&id, ordinal))
    return status;
  auto opened = std::make_unique<Device>(*api, id);
  if (pmpd_status status = opened->retain())
    return status;
  device = std::move(opened);
  return PMPD_OK;
}
