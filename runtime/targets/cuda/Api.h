// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The part of the CUDA driver API that the runtime uses, declared here so that
// building needs no CUDA. The test DriverApiTest compares it with cuda.h where
// that is installed.
#ifndef PMPD_RUNTIME_TARGETS_CUDA_API_H
#define PMPD_RUNTIME_TARGETS_CUDA_API_H

#include "runtime/Status.h"

namespace pmpd::cuda {

using Result = int; // CUresult
constexpr Result kSuccess = 0;
constexpr Result kOutOfMemory = 2;

using DeviceId = int;
using Address = unsigned long long;          // CUdeviceptr
using AllocationHandle = unsigned long long; // CUmemGenericAllocationHandle

struct OpaqueContext;
struct OpaqueModule;
struct OpaqueFunction;
struct OpaqueStream;
struct OpaqueEvent;
struct OpaqueGraph;
struct OpaqueGraphExec;
using ContextHandle = OpaqueContext *;
using ModuleHandle = OpaqueModule *;
using FunctionHandle = OpaqueFunction *;
using StreamHandle = OpaqueStream *;
using EventHandle = OpaqueEvent *;
using GraphHandle = OpaqueGraph *;
using GraphExecHandle = OpaqueGraphExec *;

enum DeviceAttribute {
  kComputeCapabilityMajor = 75,
  kComputeCapabilityMinor = 76
};

enum JitOption { kJitErrorLogBuffer = 5, kJitErrorLogBufferBytes = 6 };

enum : unsigned {
  kStreamNonBlocking = 1,
  kEventDefault = 0,
  kEventDisableTiming = 2,
  kHostAllocDefault = 0
};
enum { kCaptureThreadLocal = 1 };
enum { kLocationDevice = 1, kAllocationPinned = 1, kAccessReadWrite = 3 };
enum { kGranularityMinimum = 0 };

struct MemoryLocation { // CUmemLocation
  int type;
  int id;
};

struct AllocationProperties { // CUmemAllocationProp
  int type;
  int handleTypes;
  MemoryLocation location;
  void *windowsMetaData;
  unsigned char compressionType;
  unsigned char gpuDirectRDMACapable;
  unsigned short usage;
  unsigned char reserved[4];
};

struct AccessDescription { // CUmemAccessDesc
  MemoryLocation location;
  int flags;
};

struct LaunchAttribute { // CUlaunchAttribute
  int id;
  char padding[4];
  union {
    int allowed;
    char bytes[64];
  };
};
enum { kProgrammaticStreamSerialization = 6 };

struct LaunchConfig { // CUlaunchConfig
  unsigned grid[3];
  unsigned block[3];
  unsigned sharedBytes;
  StreamHandle stream;
  LaunchAttribute *attributes;
  unsigned attributeCount;
};

/// Success, or a failure whose text has the call and the driver's name and
/// words for it. Errors: DEVICE_ERROR.
pmpd_status checkCall(const char *call, Result result);

/// A function of the driver.
template <typename... Args> struct Call {
  const char *name;
  Result (*function)(Args...) = nullptr;

  pmpd_status operator()(Args... args) const {
    return checkCall(name, function(args...));
  }
};

/// Member, name in the documentation, exported symbol, parameters.
#define PMPD_CUDA_CALLS(X)                                                     \
  X(init, cuInit, cuInit, unsigned)                                            \
  X(driverGetVersion, cuDriverGetVersion, cuDriverGetVersion, int *)           \
  X(getErrorName, cuGetErrorName, cuGetErrorName, Result, const char **)       \
  X(getErrorString, cuGetErrorString, cuGetErrorString, Result, const char **) \
  X(deviceGetCount, cuDeviceGetCount, cuDeviceGetCount, int *)                 \
  X(deviceGet, cuDeviceGet, cuDeviceGet, DeviceId *, int)                      \
  X(deviceGetName, cuDeviceGetName, cuDeviceGetName, char *, int, DeviceId)    \
  X(deviceGetAttribute, cuDeviceGetAttribute, cuDeviceGetAttribute, int *,     \
    DeviceAttribute, DeviceId)                                                 \
  X(primaryContextRetain, cuDevicePrimaryCtxRetain, cuDevicePrimaryCtxRetain,  \
    ContextHandle *, DeviceId)                                                 \
  X(primaryContextRelease, cuDevicePrimaryCtxRelease,                          \
    cuDevicePrimaryCtxRelease_v2, DeviceId)                                    \
  X(contextPush, cuCtxPushCurrent, cuCtxPushCurrent_v2, ContextHandle)         \
  X(contextPop, cuCtxPopCurrent, cuCtxPopCurrent_v2, ContextHandle *)          \
  X(memoryInfo, cuMemGetInfo, cuMemGetInfo_v2, size_t *, size_t *)             \
  X(memoryAllocate, cuMemAlloc, cuMemAlloc_v2, Address *, size_t)              \
  X(memoryFree, cuMemFree, cuMemFree_v2, Address)                              \
  X(hostAllocate, cuMemHostAlloc, cuMemHostAlloc, void **, size_t, unsigned)   \
  X(hostFree, cuMemFreeHost, cuMemFreeHost, void *)                            \
  X(copyToDevice, cuMemcpyHtoDAsync, cuMemcpyHtoDAsync_v2, Address,            \
    const void *, size_t, StreamHandle)                                        \
  X(copyToHost, cuMemcpyDtoHAsync, cuMemcpyDtoHAsync_v2, void *, Address,      \
    size_t, StreamHandle)                                                      \
  X(addressReserve, cuMemAddressReserve, cuMemAddressReserve, Address *,       \
    size_t, size_t, Address, unsigned long long)                               \
  X(addressFree, cuMemAddressFree, cuMemAddressFree, Address, size_t)          \
  X(allocationGranularity, cuMemGetAllocationGranularity,                      \
    cuMemGetAllocationGranularity, size_t *, const AllocationProperties *,     \
    int)                                                                       \
  X(allocationCreate, cuMemCreate, cuMemCreate, AllocationHandle *, size_t,    \
    const AllocationProperties *, unsigned long long)                          \
  X(allocationRelease, cuMemRelease, cuMemRelease, AllocationHandle)           \
  X(memoryMap, cuMemMap, cuMemMap, Address, size_t, size_t, AllocationHandle,  \
    unsigned long long)                                                        \
  X(memoryUnmap, cuMemUnmap, cuMemUnmap, Address, size_t)                      \
  X(memorySetAccess, cuMemSetAccess, cuMemSetAccess, Address, size_t,          \
    const AccessDescription *, size_t)                                         \
  X(moduleLoad, cuModuleLoadDataEx, cuModuleLoadDataEx, ModuleHandle *,        \
    const void *, unsigned, JitOption *, void **)                              \
  X(moduleUnload, cuModuleUnload, cuModuleUnload, ModuleHandle)                \
  X(moduleGetFunction, cuModuleGetFunction, cuModuleGetFunction,               \
    FunctionHandle *, ModuleHandle, const char *)                              \
  X(launchKernel, cuLaunchKernelEx, cuLaunchKernelEx, const LaunchConfig *,    \
    FunctionHandle, void **, void **)                                          \
  X(streamCreate, cuStreamCreate, cuStreamCreate, StreamHandle *, unsigned)    \
  X(streamDestroy, cuStreamDestroy, cuStreamDestroy_v2, StreamHandle)          \
  X(streamSynchronize, cuStreamSynchronize, cuStreamSynchronize, StreamHandle) \
  X(streamBeginCapture, cuStreamBeginCapture, cuStreamBeginCapture_v2,         \
    StreamHandle, int)                                                         \
  X(streamEndCapture, cuStreamEndCapture, cuStreamEndCapture, StreamHandle,    \
    GraphHandle *)                                                             \
  X(graphInstantiate, cuGraphInstantiateWithFlags,                             \
    cuGraphInstantiateWithFlags, GraphExecHandle *, GraphHandle,               \
    unsigned long long)                                                        \
  X(graphLaunch, cuGraphLaunch, cuGraphLaunch, GraphExecHandle, StreamHandle)  \
  X(graphDestroy, cuGraphDestroy, cuGraphDestroy, GraphHandle)                 \
  X(graphExecDestroy, cuGraphExecDestroy, cuGraphExecDestroy, GraphExecHandle) \
  X(eventCreate, cuEventCreate, cuEventCreate, EventHandle *, unsigned)        \
  X(eventDestroy, cuEventDestroy, cuEventDestroy_v2, EventHandle)              \
  X(eventRecord, cuEventRecord, cuEventRecord, EventHandle, StreamHandle)      \
  X(eventSynchronize, cuEventSynchronize, cuEventSynchronize, EventHandle)     \
  X(eventElapsedTime, cuEventElapsedTime, cuEventElapsedTime, float *,         \
    EventHandle, EventHandle)

struct Api {
#define PMPD_CUDA_MEMBER(member, name, symbol, ...)                            \
  Call<__VA_ARGS__> member{#name};
  PMPD_CUDA_CALLS(PMPD_CUDA_MEMBER)
#undef PMPD_CUDA_MEMBER
};

} // namespace pmpd::cuda

#endif // PMPD_RUNTIME_TARGETS_CUDA_API_H
