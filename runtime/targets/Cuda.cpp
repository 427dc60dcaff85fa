// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/Descriptor.h"
#include "runtime/Mapping.h"
#include "runtime/Trace.h"
#include "runtime/targets/Target.h"
#include "runtime/targets/cuda/CallHeader.h"
#include "runtime/targets/cuda/KvCache.h"
#include "runtime/targets/cuda/Launcher.h"
#include "runtime/targets/cuda/Recording.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <map>

using namespace pmpd::rt;
using namespace pmpd;

namespace {

/// What is kept of a region that runs once per token.
struct DecodeRegion {
  bool hasRun = false;
  cuda::GraphExec graph; // or none yet
};

/// Runs regions on a GPU, one at a time, and waits for each.
class CudaTarget : public Target {
public:
  CudaTarget(const pmpd_model_desc &desc, const cuda::LoadedModel &model,
             bool record)
      : desc(desc), model(model), device(model.device()), api(device.api()),
        times(device), trace(record ? std::make_unique<Trace>() : nullptr) {}

  pmpd_status allocate();

  pmpd_status run(const RegionCall &call) override {
    cuda::Current current(device);
    if (pmpd_status status = current.status())
      return status;
    if (pmpd_status status = kvCache->grow(call.position + call.rows))
      return status;
    pmpd_status status = runCurrent(call);
    if (status != PMPD_OK) // so that nothing still writes to the caller
      api.streamSynchronize.function(stream.get());
    return status;
  }

  bool canChoose() const override { return desc.gpu_sample; }

  pmpd_status kv(int32_t layer, int64_t tokens, const uint8_t *&keys) override;

  void clearKv() override {
    cuda::Current current(device);
    kvCache->clear();
  }

  void clearTotals() override {
    if (trace)
      trace->clear();
  }

  pmpd_status writeTrace(const std::string &path) const override {
    if (!trace)
      return failUnrecorded();
    return trace->write(path, desc);
  }

private:
  pmpd_status runCurrent(const RegionCall &call);
  void writeCall(const RegionCall &call);
  pmpd_status makeRoomForLogits(int64_t rows);
  pmpd_status enqueue(const RegionCall &call, void *result);
  pmpd_status replay(const RegionCall &call, void *result);
  void launchSample(cuda::Launcher &launcher);
  pmpd_status finish(const RegionCall &call);

  const pmpd_model_desc &desc;
  const cuda::LoadedModel &model;
  const cuda::Device &device;
  const cuda::Api &api;
  cuda::Stream stream;
  std::unique_ptr<cuda::KvCache> kvCache;
  Mapping hostKv; // what was asked for of it, at the same offsets
  cuda::DeviceMemory scratch;
  cuda::DeviceMemory call;       // CallHeader, then tokens [most rows]
  cuda::DeviceMemory logits;     // [1, vocab], also of what is recorded
  cuda::DeviceMemory moreLogits; // [moreRows, vocab], once asked for
  int64_t moreRows = 0;
  cuda::DeviceMemory token;        // int32_t, of a choice
  cuda::PinnedMemory hostCall;     // as call
  cuda::PinnedMemory decodeLogits; // [vocab]
  cuda::PinnedMemory hostToken;    // as token
  std::map<std::pair<const pmpd_region_desc *, /*choice*/ bool>, DecodeRegion>
      decodeRegions;
  cuda::LaunchTimes times;
  std::unique_ptr<Trace> trace; // or null
};

} // namespace

pmpd_status CudaTarget::allocate() {
  uint64_t scratchBytes = desc.gpu_sample ? desc.gpu_sample_scratch : 0;
  uint64_t rows = 0;
  for (int32_t i = 0; i < desc.region_count; ++i) {
    scratchBytes = std::max(scratchBytes, desc.regions[i].scratch_bytes);
    rows = std::max(rows, uint64_t(desc.regions[i].max_rows));
  }
  const uint64_t callBytes = sizeof(cuda::CallHeader) + rows * sizeof(int32_t);
  const uint64_t rowBytes = desc.vocab * sizeof(float);
  cuda::Current current(device);
  if (pmpd_status status = current.status())
    return status;
  if (pmpd_status status =
          stream.create(device, api.streamCreate, cuda::kStreamNonBlocking))
    return status;
  if (pmpd_status status = cuda::KvCache::create(device, desc, kvCache))
    return status;
  if (pmpd_status status =
          cuda::allocate(device, scratchBytes, "scratch memory", scratch))
    return status;
  if (pmpd_status status = cuda::allocate(device, callBytes, "tokens", call))
    return status;
  if (pmpd_status status = cuda::allocate(device, rowBytes, "logits", logits))
    return status;
  if (pmpd_status status =
          cuda::allocate(device, sizeof(int32_t), "token", token))
    return status;
  if (pmpd_status status =
          cuda::allocatePinned(device, callBytes, "tokens", hostCall))
    return status;
  if (pmpd_status status =
          cuda::allocatePinned(device, sizeof(int32_t), "token", hostToken))
    return status;
  return cuda::allocatePinned(device, rowBytes, "logits", decodeLogits);
}

void CudaTarget::writeCall(const RegionCall &given) {
  auto *header = static_cast<cuda::CallHeader *>(hostCall.get());
  *header = cuda::CallHeader(given, desc.vocab);
  std::copy_n(given.tokens, given.rows,
              reinterpret_cast<int32_t *>(header + 1));
}

pmpd_status CudaTarget::makeRoomForLogits(int64_t rows) {
  if (rows <= std::max<int64_t>(moreRows, 1))
    return PMPD_OK;
  moreLogits = {}; // its memory first
  moreRows = 0;
  if (pmpd_status status = cuda::allocate(
          device, rows * desc.vocab * sizeof(float), "logits", moreLogits))
    return status;
  moreRows = rows;
  return PMPD_OK;
}

/// Queues a call from the write of its tokens to the copy of its logits or
/// choice.
pmpd_status CudaTarget::enqueue(const RegionCall &given, void *to) {
  if (pmpd_status status = api.copyToDevice(call.get(), hostCall.get(),
                                            sizeof(cuda::CallHeader) +
                                                given.rows * sizeof(int32_t),
                                            stream.get()))
    return status;
  times.clear();
  cuda::Launcher launcher(model, stream.get(), call.get(), given.rows,
                          trace ? &times : nullptr);
  pmpd_region_args args = {};
  args.weights = reinterpret_cast<const uint8_t *>(model.weights());
  args.scratch = reinterpret_cast<uint8_t *>(scratch.get());
  args.kv = reinterpret_cast<uint8_t *>(kvCache->address());
  args.tokens =
      reinterpret_cast<const int32_t *>(call.get() + sizeof(cuda::CallHeader));
  cuda::Address target = given.logitRows > 1 ? moreLogits.get() : logits.get();
  args.logits = reinterpret_cast<float *>(target);
  args.rows = given.rows;
  args.position = given.position;
  args.logit_rows = given.logitRows;
  args.launch = cuda::Launcher::launch;
  args.device = &launcher;
  given.region->entry(&args);
  if (given.choice)
    launchSample(launcher);
  if (pmpd_status status = launcher.status())
    return status;
  if (trace)
    if (pmpd_status status = times.recordEnd(stream.get()))
      return status;
  if (given.logitRows == 0)
    return PMPD_OK;
  if (given.choice)
    return api.copyToHost(to, token.get(), sizeof(int32_t), stream.get());
  return api.copyToHost(
      to, target, given.logitRows * desc.vocab * sizeof(float), stream.get());
}

/// Scratch memory is free once there are logits.
void CudaTarget::launchSample(cuda::Launcher &launcher) {
  pmpd_kernel_args args = {};
  args.rows = 1;
  args.ptr[0] = reinterpret_cast<void *>(logits.get());
  args.ptr[1] = reinterpret_cast<void *>(call.get() +
                                         offsetof(cuda::CallHeader, sampling));
  args.ptr[2] = reinterpret_cast<void *>(scratch.get());
  args.ptr[3] = reinterpret_cast<void *>(token.get());
  cuda::Launcher::launch(&launcher, desc.gpu_sample, &args, /*blocks=*/1);
}

/// Waits. Errors of kernels show only here.
pmpd_status CudaTarget::finish(const RegionCall &given) {
  pmpd_status status = api.streamSynchronize(stream.get());
  if (status == PMPD_OK)
    return status;
  return fail(status, std::string(desc.name) + " at " +
                          std::to_string(given.region->bits) + " bits on " +
                          device.name() + ": " + pmpd_last_error());
}

/// Runs a decode region from its recording. What differs between tokens is read
/// from `hostCall` by the copy that is recorded with the launches.
pmpd_status CudaTarget::replay(const RegionCall &given, void *to) {
  DecodeRegion &region = decodeRegions[{given.region, given.choice != nullptr}];
  // Drivers load a kernel when it is first launched, which may not happen
  // during a recording.
  if (!region.hasRun) {
    region.hasRun = true;
    return enqueue(given, to);
  }
  if (!region.graph)
    if (pmpd_status status = cuda::record(
            device, stream.get(), [&] { return enqueue(given, to); },
            region.graph))
      return status;
  return api.graphLaunch(region.graph.get(), stream.get());
}

pmpd_status CudaTarget::runCurrent(const RegionCall &given) {
  const bool decode = given.region->phase == PMPD_DECODE;
  // What is recorded goes to the same place every time.
  void *to = given.choice ? hostToken.get()
             : decode     ? decodeLogits.get()
                          : given.logits;
  if (pmpd_status status = makeRoomForLogits(given.logitRows))
    return status;
  writeCall(given);
  Trace::Clock::time_point begin = Trace::Clock::now();
  if (pmpd_status status =
          decode && !trace ? replay(given, to) : enqueue(given, to))
    return status;
  if (pmpd_status status = finish(given))
    return status;
  if (given.choice)
    given.choice->token = *static_cast<const int32_t *>(to);
  else if (to != given.logits)
    std::memcpy(given.logits, to, desc.vocab * sizeof(float));
  if (!trace)
    return PMPD_OK;
  trace->addRegion(*given.region, given.rows, given.position, begin,
                   Trace::Clock::now());
  return times.addTo(*trace, begin);
}

pmpd_status CudaTarget::kv(int32_t layer, int64_t tokens,
                           const uint8_t *&keys) {
  if (!hostKv.data())
    if (pmpd_status status =
            Mapping::ofZeros(desc.kv_bytes, "copy of the KV cache", hostKv))
      return status;
  cuda::Current current(device);
  if (pmpd_status status = current.status())
    return status;
  if (pmpd_status status =
          kvCache->copyLayer(layer, tokens, stream.get(), hostKv.data()))
    return status;
  keys = hostKv.data() + layer * kvLayerBytes(desc);
  return PMPD_OK;
}

pmpd_status pmpd::rt::createCudaTarget(const Model &model, bool trace,
                                       std::unique_ptr<Target> &target) {
  auto created =
      std::make_unique<CudaTarget>(model.desc(), *model.gpu(), trace);
  if (pmpd_status status = created->allocate())
    return status;
  target = std::move(created);
  return PMPD_OK;
}
