// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The functions that the library exports.
#include "test/simt/cuda/Fake.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>

using namespace pmpd::fakecuda;
using namespace pmpd;

namespace {

thread_local std::vector<ContextHandle> contexts;

/// The error that PMPD_FAKE_CUDA_FAIL wants of this call.
Result wantedFailure(const std::string &call) {
  static std::string rules;
  static std::map<std::string, int> calls;
  const char *text = std::getenv("PMPD_FAKE_CUDA_FAIL");
  if (!text)
    return kSuccess;
  if (rules != text) {
    rules = text;
    calls.clear();
  }
  int number = ++calls[call];
  std::string list = "," + rules;
  for (size_t at = 0;
       (at = list.find("," + call + "=", at)) != std::string::npos;) {
    at += call.size() + 2;
    char *end;
    long error = std::strtol(list.c_str() + at, &end, 10);
    if (*end != '@' || std::strtol(end + 1, nullptr, 10) == number)
      return Result(error);
  }
  return kSuccess;
}

/// Adds a line to the file that a variable names, if it does.
void note(const char *variable, const std::string &line) {
  if (const char *path = std::getenv(variable))
    if (FILE *file = std::fopen(path, "a")) {
      std::fprintf(file, "%s\n", line.c_str());
      std::fclose(file);
    }
}

enum class Needs { Nothing, Initialized, Context };

/// What every call does first; converts to true if it has failed already.
struct Enter {
  Enter(const char *call, Needs needs = Needs::Context) : lock(driver().mutex) {
    note("PMPD_FAKE_CUDA_LOG", call);
    result = wantedFailure(call);
    if (result)
      return;
    if (needs != Needs::Nothing && !driver().initialized)
      result = kNotInitialized;
    if (needs == Needs::Context && contexts.empty())
      misuse(std::string(call) + " without a current context");
    if (!result && needs == Needs::Context)
      result = driver().sticky;
  }
  explicit operator bool() const { return result != kSuccess; }

  std::lock_guard<std::recursive_mutex> lock;
  Result result;
};

template <typename Map, typename Key>
typename Map::mapped_type::element_type &find(Map &map, Key key,
                                              const char *what) {
  auto found = map.find(key);
  if (found == map.end())
    misuse(std::string("a ") + what + " that is none, or was destroyed");
  return *found->second;
}

template <typename Handle, typename Map, typename Object>
void insert(Map &map, Handle *handle, std::unique_ptr<Object> object) {
  *handle = reinterpret_cast<Handle>(object.get());
  map[*handle] = std::move(object);
}

Result add(WorkQueue &queue, Work work) {
  queue.add(std::move(work));
  return kSuccess;
}

Result waitFor(WorkQueue &queue) {
  if (queue.capture)
    misuse("a wait for a stream that is being recorded");
  return driver().drain(queue);
}

double now() {
  return std::chrono::duration<double, std::milli>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

} // namespace

WorkQueue &pmpd::fakecuda::queueOf(StreamHandle stream) {
  return find(driver().streams, stream, "stream");
}

extern "C" {

Result cuInit(unsigned flags) {
  Enter enter("cuInit", Needs::Nothing);
  if (enter)
    return enter.result;
  driver().initialized = true;
  return flags == 0 ? kSuccess : kInvalidValue;
}

/// By name and version, as drivers from 12.0 on have it.
Result cuGetProcAddress_v2(const char *name, void **function, int version,
                           unsigned long long, int *) {
  if (version > setting("PMPD_FAKE_CUDA_DRIVER", 13000))
    return kNotFound;
  Dl_info self;
  dladdr(reinterpret_cast<void *>(cuGetProcAddress_v2), &self);
  void *library = dlopen(self.dli_fname, RTLD_NOW | RTLD_NOLOAD);
  *function = dlsym(library, (std::string(name) + "_v2").c_str());
  if (!*function)
    *function = dlsym(library, name);
  return *function ? kSuccess : kNotFound;
}

Result cuDriverGetVersion(int *version) {
  *version = int(setting("PMPD_FAKE_CUDA_DRIVER", 13000));
  return kSuccess;
}

Result cuGetErrorName(Result error, const char **name) {
  static const std::map<Result, const char *> names = {
      {1, "CUDA_ERROR_INVALID_VALUE"},
      {2, "CUDA_ERROR_OUT_OF_MEMORY"},
      {3, "CUDA_ERROR_NOT_INITIALIZED"},
      {34, "CUDA_ERROR_STUB_LIBRARY"},
      {100, "CUDA_ERROR_NO_DEVICE"},
      {209, "CUDA_ERROR_NO_BINARY_FOR_GPU"},
      {218, "CUDA_ERROR_INVALID_PTX"},
      {500, "CUDA_ERROR_NOT_FOUND"},
      {600, "CUDA_ERROR_NOT_READY"},
      {700, "CUDA_ERROR_ILLEGAL_ADDRESS"},
      {719, "CUDA_ERROR_LAUNCH_FAILED"},
      {901, "CUDA_ERROR_STREAM_CAPTURE_INVALIDATED"},
  };
  auto found = names.find(error);
  *name = found == names.end() ? nullptr : found->second;
  return *name ? kSuccess : kInvalidValue;
}

Result cuGetErrorString(Result error, const char **text) {
  std::lock_guard<std::recursive_mutex> lock(driver().mutex);
  *text = error == kLaunchFailed && !driver().stickyText.empty()
              ? driver().stickyText.c_str()
              : "text of the fake driver";
  return kSuccess;
}

Result cuDeviceGetCount(int *count) {
  Enter enter("cuDeviceGetCount", Needs::Initialized);
  *count = int(setting("PMPD_FAKE_CUDA_DEVICES", 1));
  return enter.result;
}

Result cuDeviceGet(DeviceId *device, int ordinal) {
  Enter enter("cuDeviceGet", Needs::Initialized);
  *device = ordinal;
  return enter.result;
}

Result cuDeviceGetName(char *name, int bytes, DeviceId device) {
  Enter enter("cuDeviceGetName", Needs::Initialized);
  std::snprintf(name, bytes, "Fake GPU %d", device);
  return enter.result;
}

Result cuDeviceGetAttribute(int *value, DeviceAttribute attribute, DeviceId) {
  Enter enter("cuDeviceGetAttribute", Needs::Initialized);
  long sm = setting("PMPD_FAKE_CUDA_SM", 90);
  *value = int(attribute == kComputeCapabilityMajor ? sm / 10 : sm % 10);
  return enter.result;
}

Result cuDevicePrimaryCtxRetain(ContextHandle *context, DeviceId device) {
  Enter enter("cuDevicePrimaryCtxRetain", Needs::Initialized);
  if (enter)
    return enter.result;
  ++driver().retained;
  *context = reinterpret_cast<ContextHandle>(uintptr_t(device + 1));
  return kSuccess;
}

Result cuDevicePrimaryCtxRelease_v2(DeviceId) {
  Enter enter("cuDevicePrimaryCtxRelease", Needs::Initialized);
  if (driver().retained-- == 0)
    misuse("a primary context released more often than retained");
  return enter.result;
}

Result cuCtxPushCurrent_v2(ContextHandle context) {
  Enter enter("cuCtxPushCurrent", Needs::Initialized);
  if (enter)
    return enter.result;
  if (!context || driver().retained == 0)
    misuse("a context that was not retained");
  contexts.push_back(context);
  return kSuccess;
}

Result cuCtxPopCurrent_v2(ContextHandle *context) {
  Enter enter("cuCtxPopCurrent", Needs::Initialized);
  if (contexts.empty())
    misuse("cuCtxPopCurrent without a current context");
  *context = contexts.back();
  contexts.pop_back();
  return kSuccess;
}

Result cuMemGetInfo_v2(size_t *free, size_t *total) {
  Enter enter("cuMemGetInfo");
  *free = driver().memory.free();
  *total = driver().memory.total();
  return enter.result;
}

Result cuMemAlloc_v2(Address *address, size_t bytes) {
  Enter enter("cuMemAlloc");
  return enter ? enter.result : driver().memory.allocate(address, bytes);
}

Result cuMemFree_v2(Address address) {
  Enter enter("cuMemFree");
  driver().memory.free(address);
  return enter.result;
}

Result cuMemHostAlloc(void **data, size_t bytes, unsigned) {
  Enter enter("cuMemHostAlloc");
  if (enter)
    return enter.result;
  *data = std::malloc(bytes);
  std::memset(*data, 0xFF, bytes);
  driver().pinned[*data] = bytes;
  return kSuccess;
}

Result cuMemFreeHost(void *data) {
  Enter enter("cuMemFreeHost");
  if (driver().pinned.erase(data) == 0)
    misuse("free of host memory that was not allocated");
  std::free(data);
  return enter.result;
}

Result cuMemcpyHtoDAsync_v2(Address to, const void *from, size_t bytes,
                            StreamHandle stream) {
  Enter enter("cuMemcpyHtoDAsync");
  if (enter)
    return enter.result;
  WorkQueue &queue = queueOf(stream);
  Driver *self = &driver();
  self->memory.at(to, bytes, "the target of a copy");
  bool pinned = self->isPinned(from, bytes);
  if (queue.capture && !pinned)
    misuse("a recorded copy from memory that is not pinned");
  // A driver has read other memory when the call returns.
  std::string staged;
  if (!pinned)
    staged.assign(static_cast<const char *>(from), bytes);
  return add(queue, [=] {
    if (pinned && !self->isPinned(from, bytes))
      misuse("a copy from memory that was given back");
    std::memcpy(self->memory.at(to, bytes, "the target of a copy"),
                pinned ? from : staged.data(), bytes);
    return std::string();
  });
}

Result cuMemcpyDtoHAsync_v2(void *to, Address from, size_t bytes,
                            StreamHandle stream) {
  Enter enter("cuMemcpyDtoHAsync");
  if (enter)
    return enter.result;
  WorkQueue &queue = queueOf(stream);
  Driver *self = &driver();
  self->memory.at(from, bytes, "the source of a copy");
  if (queue.capture && !self->isPinned(to, bytes))
    misuse("a recorded copy to memory that is not pinned");
  return add(queue, [=] {
    std::memcpy(to, self->memory.at(from, bytes, "the source of a copy"),
                bytes);
    note("PMPD_FAKE_CUDA_LOG", std::to_string(bytes) + " bytes to the host");
    return std::string();
  });
}

Result cuMemAddressReserve(Address *address, size_t bytes, size_t, Address,
                           unsigned long long) {
  Enter enter("cuMemAddressReserve");
  return enter ? enter.result : driver().memory.reserve(address, bytes);
}

Result cuMemAddressFree(Address address, size_t bytes) {
  Enter enter("cuMemAddressFree");
  driver().memory.unreserve(address, bytes);
  return enter.result;
}

Result cuMemGetAllocationGranularity(size_t *bytes,
                                     const AllocationProperties *properties,
                                     int) {
  Enter enter("cuMemGetAllocationGranularity");
  if (properties->type != kAllocationPinned ||
      properties->location.type != kLocationDevice)
    misuse("properties that are not those of device memory");
  *bytes = Memory::kPageBytes;
  return enter.result;
}

Result cuMemCreate(AllocationHandle *handle, size_t bytes,
                   const AllocationProperties *, unsigned long long) {
  Enter enter("cuMemCreate");
  return enter ? enter.result : driver().memory.create(handle, bytes);
}

Result cuMemRelease(AllocationHandle handle) {
  Enter enter("cuMemRelease");
  driver().memory.release(handle);
  return enter.result;
}

Result cuMemMap(Address address, size_t bytes, size_t offset,
                AllocationHandle handle, unsigned long long) {
  Enter enter("cuMemMap");
  if (enter)
    return enter.result;
  if (offset != 0)
    misuse("a mapping at an offset");
  driver().memory.map(address, bytes, handle);
  return kSuccess;
}

Result cuMemUnmap(Address address, size_t bytes) {
  Enter enter("cuMemUnmap");
  driver().memory.unmap(address, bytes);
  return enter.result;
}

Result cuMemSetAccess(Address address, size_t bytes,
                      const AccessDescription *access, size_t count) {
  Enter enter("cuMemSetAccess");
  if (enter)
    return enter.result;
  if (count != 1 || access->flags != kAccessReadWrite)
    misuse("access other than to read and write");
  driver().memory.setAccess(address, bytes);
  return kSuccess;
}

Result cuModuleLoadDataEx(ModuleHandle *module, const void *image,
                          unsigned count, JitOption *options, void **values) {
  Enter enter("cuModuleLoadDataEx");
  std::string log = "log of the fake compiler";
  std::unique_ptr<LoadedImage> loaded;
  Result result = enter ? enter.result : loadImage(image, log, loaded);
  if (result == kSuccess) {
    insert(driver().modules, module, std::move(loaded));
    return kSuccess;
  }
  char *buffer = nullptr;
  size_t bytes = 0;
  for (unsigned i = 0; i < count; ++i) {
    if (options[i] == kJitErrorLogBuffer)
      buffer = static_cast<char *>(values[i]);
    if (options[i] == kJitErrorLogBufferBytes)
      bytes = size_t(values[i]);
  }
  if (buffer && bytes)
    std::snprintf(buffer, bytes, "%s", log.c_str());
  return result;
}

Result cuModuleUnload(ModuleHandle module) {
  Enter enter("cuModuleUnload");
  find(driver().modules, module, "module");
  driver().modules.erase(module);
  return enter.result;
}

Result cuModuleGetFunction(FunctionHandle *function, ModuleHandle module,
                           const char *name) {
  Enter enter("cuModuleGetFunction");
  if (enter)
    return enter.result;
  Function *found = nullptr;
  Result result =
      findFunction(find(driver().modules, module, "module"), name, &found);
  *function = reinterpret_cast<FunctionHandle>(found);
  return result;
}

Result cuLaunchKernelEx(const LaunchConfig *config, FunctionHandle handle,
                        void **parameters, void **extra) {
  Enter enter(config->attributeCount ? "cuLaunchKernelEx overlapping"
                                     : "cuLaunchKernelEx");
  if (enter)
    return enter.result;
  unsigned gridX = config->grid[0], blockX = config->block[0];
  if (gridX == 0 || gridX > 0x7FFFFFFF || config->grid[1] != 1 ||
      config->grid[2] != 1 || blockX == 0 || blockX > 1024 ||
      config->block[1] != 1 || config->block[2] != 1 ||
      config->sharedBytes != 0 || extra)
    misuse("a launch of a grid that kernels do not have");
  if (config->attributeCount > 1 ||
      (config->attributeCount == 1 &&
       config->attributes[0].id != kProgrammaticStreamSerialization))
    misuse("a launch with other attributes than overlapping");
  const simt::Kernel *kernel = reinterpret_cast<Function *>(handle)->kernel;
  std::vector<Address> addresses(kernel->arguments);
  for (uint32_t i = 0; i < kernel->arguments; ++i)
    addresses[i] = *static_cast<Address *>(parameters[i]);
  note("PMPD_FAKE_CUDA_KERNELS", kernel->name);
  return add(queueOf(config->stream),
             [=] { return runKernel(*kernel, addresses, gridX, blockX); });
}

Result cuStreamCreate(StreamHandle *stream, unsigned) {
  Enter enter("cuStreamCreate");
  if (!enter)
    insert(driver().streams, stream, std::make_unique<WorkQueue>());
  return enter.result;
}

Result cuStreamDestroy_v2(StreamHandle stream) {
  Enter enter("cuStreamDestroy");
  driver().drain(queueOf(stream));
  driver().streams.erase(stream);
  return enter.result;
}

Result cuStreamSynchronize(StreamHandle stream) {
  Enter enter("cuStreamSynchronize");
  return enter ? enter.result : waitFor(queueOf(stream));
}

Result cuStreamBeginCapture_v2(StreamHandle stream, int) {
  Enter enter("cuStreamBeginCapture");
  if (enter)
    return enter.result;
  if (queueOf(stream).capture)
    misuse("a stream recorded twice at once");
  queueOf(stream).capture = std::make_unique<RecordedGraph>();
  return kSuccess;
}

Result cuStreamEndCapture(StreamHandle stream, GraphHandle *graph) {
  Enter enter("cuStreamEndCapture");
  std::unique_ptr<RecordedGraph> recorded = std::move(queueOf(stream).capture);
  if (!recorded)
    misuse("the end of a recording that was not begun");
  if (!enter)
    insert(driver().graphs, graph, std::move(recorded));
  return enter.result;
}

Result cuGraphInstantiateWithFlags(GraphExecHandle *exec, GraphHandle graph,
                                   unsigned long long) {
  Enter enter("cuGraphInstantiateWithFlags");
  if (!enter)
    insert(
        driver().graphExecs, exec,
        std::make_unique<RecordedGraph>(find(driver().graphs, graph, "graph")));
  return enter.result;
}

Result cuGraphLaunch(GraphExecHandle exec, StreamHandle stream) {
  Enter enter("cuGraphLaunch");
  if (enter)
    return enter.result;
  for (const Work &work :
       find(driver().graphExecs, exec, "graph to launch").work)
    add(queueOf(stream), work);
  return kSuccess;
}

Result cuGraphDestroy(GraphHandle graph) {
  Enter enter("cuGraphDestroy");
  find(driver().graphs, graph, "graph");
  driver().graphs.erase(graph);
  return enter.result;
}

Result cuGraphExecDestroy(GraphExecHandle exec) {
  Enter enter("cuGraphExecDestroy");
  find(driver().graphExecs, exec, "graph to launch");
  driver().graphExecs.erase(exec);
  return enter.result;
}

Result cuEventCreate(EventHandle *event, unsigned) {
  Enter enter("cuEventCreate");
  if (!enter)
    insert(driver().events, event, std::make_unique<RecordedEvent>());
  return enter.result;
}

Result cuEventDestroy_v2(EventHandle event) {
  Enter enter("cuEventDestroy");
  find(driver().events, event, "event");
  driver().events.erase(event);
  return enter.result;
}

Result cuEventRecord(EventHandle event, StreamHandle stream) {
  Enter enter("cuEventRecord");
  if (enter)
    return enter.result;
  RecordedEvent &recorded = find(driver().events, event, "event");
  recorded.queue = &queueOf(stream);
  recorded.done = false;
  return add(*recorded.queue, [&recorded] {
    recorded.done = true;
    recorded.milliseconds = now();
    return std::string();
  });
}

Result cuEventSynchronize(EventHandle event) {
  Enter enter("cuEventSynchronize");
  if (enter)
    return enter.result;
  RecordedEvent &recorded = find(driver().events, event, "event");
  return recorded.queue ? waitFor(*recorded.queue) : kSuccess;
}

Result cuEventElapsedTime(float *milliseconds, EventHandle begin,
                          EventHandle end) {
  Enter enter("cuEventElapsedTime");
  if (enter)
    return enter.result;
  const RecordedEvent &from = find(driver().events, begin, "event");
  const RecordedEvent &to = find(driver().events, end, "event");
  if (!from.done || !to.done)
    return kNotReady;
  *milliseconds = float(to.milliseconds - from.milliseconds);
  return kSuccess;
}

} // extern "C"
