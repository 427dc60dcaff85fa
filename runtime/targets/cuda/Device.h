// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_RUNTIME_TARGETS_CUDA_DEVICE_H
#define PMPD_RUNTIME_TARGETS_CUDA_DEVICE_H

#include "runtime/targets/cuda/Api.h"

#include <memory>
#include <utility>

namespace pmpd::cuda {

/// A GPU whose primary context is retained as long as this lives. Shared by
/// threads; what it is asked for needs a Current on the calling thread.
class Device {
public:
  /// The GPU at `ordinal` among those that CUDA_VISIBLE_DEVICES shows.
  /// Errors: NO_DEVICE, BAD_ARGUMENT (ordinal), DEVICE_ERROR.
  static pmpd_status open(int ordinal, std::unique_ptr<Device> &device);

  Device(const Api &api, DeviceId id) : functions(api), deviceId(id) {}
  Device(const Device &) = delete;
  ~Device();

  const Api &api() const { return functions; }
  ContextHandle context() const { return primary; }
  DeviceId id() const { return deviceId; }
  const std::string &name() const { return deviceName; }
  int sm() const { return computeCapability; } ///< 90 for sm_90
  int driver() const { return driverVersion; } ///< 12030 for CUDA 12.3

private:
  pmpd_status retain();

  const Api &functions;
  DeviceId deviceId;
  ContextHandle primary = nullptr;
  std::string deviceName;
  int computeCapability = 0;
  int driverVersion = 0;
};

/// Makes the context of a device current on this thread while it lives.
class Current {
public:
  explicit Current(const Device &device)
      : device(device),
        result(device.api().contextPush.function(device.context())) {}
  Current(const Current &) = delete;
  ~Current() {
    ContextHandle popped;
    if (result == kSuccess)
      device.api().contextPop.function(&popped);
  }

  /// Errors: DEVICE_ERROR.
  pmpd_status status() const {
    return checkCall(device.api().contextPush.name, result);
  }

private:
  const Device &device;
  Result result;
};

/// Owns what a function of the driver made and another one, `Release`, takes
/// back. The device outlives it.
template <typename Handle, auto Release> class Resource {
public:
  Resource() = default;
  Resource(Resource &&other) noexcept { *this = std::move(other); }
  Resource &operator=(Resource &&other) noexcept {
    std::swap(device, other.device);
    std::swap(handle, other.handle);
    return *this;
  }
  ~Resource() {
    if (!handle)
      return;
    Current current(*device);
    (device->api().*Release).function(handle);
  }

  /// Calls `make`, whose first argument is the place for the handle.
  template <typename Make, typename... Args>
  pmpd_status create(const Device &on, const Make &make, Args... args) {
    Resource made;
    made.device = &on;
    if (pmpd_status status = make(&made.handle, args...))
      return status;
    *this = std::move(made);
    return PMPD_OK;
  }

  Handle get() const { return handle; }
  explicit operator bool() const { return handle; }

private:
  const Device *device = nullptr;
  Handle handle{};
};

using Module = Resource<ModuleHandle, &Api::moduleUnload>;
using Stream = Resource<StreamHandle, &Api::streamDestroy>;
using Event = Resource<EventHandle, &Api::eventDestroy>;
using Graph = Resource<GraphHandle, &Api::graphDestroy>;
using GraphExec = Resource<GraphExecHandle, &Api::graphExecDestroy>;

} // namespace pmpd::cuda

#endif // PMPD_RUNTIME_TARGETS_CUDA_DEVICE_H
