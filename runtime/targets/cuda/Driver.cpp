// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/targets/cuda/Driver.h"

#include <atomic>
#include <dlfcn.h>
#include <mutex>

using namespace pmpd::cuda;
using pmpd::rt::fail;

namespace {

constexpr const char *kLibrary = "libcuda.so.1";

// The first driver that knows sm_90 and the PTX that the compiler writes.
constexpr int kOldestDriver = 11080;

// Driver errors of which the cause is outside of this process.
constexpr Result kNoDevice = 100;
constexpr Result kStubLibrary = 34;

std::atomic<const Api *> loaded{nullptr};

using GetProcAddress = Result (*)(const char *, void **, int,
                                  unsigned long long, int *);

/// Addresses of the driver's functions by both ways there are.
class Symbols {
public:
  explicit Symbols(void *library)
      : library(library), getProcAddress(reinterpret_cast<GetProcAddress>(
                              dlsym(library, "cuGetProcAddress_v2"))) {}

  /// Null if there is none.
  void *find(const char *name, const char *symbol) const {
    void *address = nullptr;
    int found = 0; // CU_GET_PROC_ADDRESS_SUCCESS
    if (getProcAddress &&
        getProcAddress(name, &address, kOldestDriver, 0, &found) == kSuccess &&
        address)
      return address;
    return dlsym(library, symbol);
  }

private:
  void *library;
  GetProcAddress getProcAddress;
};

pmpd_status resolve(void *library, Api &api) {
  Symbols symbols(library);
  const char *missing = nullptr;
#define PMPD_CUDA_RESOLVE(member, name, symbol, ...)                           \
  api.member.function = reinterpret_cast<decltype(api.member.function)>(       \
      symbols.find(#name, #symbol));                                           \
  if (!api.member.function)                                                    \
    missing = #name;
  PMPD_CUDA_CALLS(PMPD_CUDA_RESOLVE)
#undef PMPD_CUDA_RESOLVE
  if (!missing)
    return PMPD_OK;
  return fail(PMPD_NO_DEVICE, std::string("expected a CUDA driver that has ") +
                                  missing +
                                  ", but the installed one lacks it; update "
                                  "the NVIDIA driver");
}

std::string describe(const Api &api, Result result) {
  const char *name = nullptr, *text = nullptr;
  if (api.getErrorName.function(result, &name) != kSuccess || !name)
    return "error " + std::to_string(result);
  if (api.getErrorString.function(result, &text) != kSuccess || !text)
    return name;
  return std::string(name) + ", " + text;
}

pmpd_status failCall(const Api &api, const char *call, Result result) {
  if (result == kStubLibrary)
    return fail(PMPD_NO_DEVICE, std::string("expected a CUDA driver, but ") +
                                    kLibrary +
                                    " is the stub of the CUDA toolkit; install "
                                    "the NVIDIA driver");
  bool absent = result == kNoDevice;
  return fail(absent ? PMPD_NO_DEVICE : PMPD_DEVICE_ERROR,
              std::string(call) + " failed: " + describe(api, result));
}

/// Not by checkCall, which reports through the driver that is loaded.
pmpd_status initialize(const Api &api) {
  if (Result result = api.init.function(0))
    return failCall(api, api.init.name, result);
  int version = 0;
  if (Result result = api.driverGetVersion.function(&version))
    return failCall(api, api.driverGetVersion.name, result);
  if (version >= kOldestDriver)
    return PMPD_OK;
  auto text = [](int number) {
    return std::to_string(number / 1000) + "." +
           std::to_string(number % 1000 / 10);
  };
  return fail(PMPD_NO_DEVICE, "expected a driver for CUDA " +
                                  text(kOldestDriver) +
                                  " or newer, but this one is for " +
                                  text(version) + "; update the NVIDIA driver");
}

pmpd_status load() {
  // Never closed: the driver has threads of its own.
  static void *library = nullptr;
  if (!library)
    library = dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);
  if (!library)
    return fail(PMPD_NO_DEVICE,
                std::string("expected a CUDA driver, but got ") + dlerror() +
                    "; install the NVIDIA driver, or recompile with --target "
                    "x86-64");
  static Api api;
  if (pmpd_status status = resolve(library, api))
    return status;
  if (pmpd_status status = initialize(api))
    return status;
  loaded = &api;
  return PMPD_OK;
}

} // namespace

pmpd_status pmpd::cuda::checkCall(const char *call, Result result) {
  return result == kSuccess ? PMPD_OK : failCall(*loaded, call, result);
}

pmpd_status pmpd::cuda::loadDriver(const Api *&api) {
  static std::mutex mutex;
  std::lock_guard<std::mutex> lock(mutex);
  if (!loaded)
    if (pmpd_status status = load())
      return status;
  api = loaded;
  return PMPD_OK;
}
