// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/targets/cuda/KvCache.h"

#include "pmpd/layout.h"
#include "runtime/Descriptor.h"
#include "runtime/targets/cuda/Memory.h"

#include <algorithm>

using namespace pmpd::cuda;

KvCache::KvCache(const Device &device, const pmpd_model_desc &desc)
    : device(device), bytes(desc.kv_bytes),
      positionBytes(rt::kvBytesPerToken(desc) / desc.layers / 2 /
                    desc.kv_heads),
      context(desc.context) {
  stretchBytes = positionBytes * context;
  stretches = bytes / stretchBytes;
  layerStretches = stretches / desc.layers;
}

KvCache::~KvCache() {
  Current current(device);
  clear();
  if (base)
    device.api().addressFree.function(base, bytes);
}

pmpd_status KvCache::create(const Device &device, const pmpd_model_desc &desc,
                            std::unique_ptr<KvCache> &cache) {
  auto created = std::make_unique<KvCache>(device, desc);
  if (pmpd_status status = created->reserve())
    return status;
  cache = std::move(created);
  return PMPD_OK;
}

pmpd_status KvCache::reserve() {
  properties.type = kAllocationPinned;
  properties.location = {kLocationDevice, device.id()};
  size_t granularity = 0;
  if (pmpd_status status = device.api().allocationGranularity(
          &granularity, &properties, kGranularityMinimum))
    return status;
  pageBytes = granularity;
  bytes = pmpd_round_up(bytes, pageBytes);
  pages.resize(bytes / pageBytes);
  return device.api().addressReserve(&base, bytes, 0, 0, 0);
}

std::vector<KvCache::Range> KvCache::rangesToMap(int64_t tokens) const {
  std::vector<Range> ranges;
  uint64_t next = 0; // page not looked at yet
  for (uint64_t stretch = 0; stretch < stretches; ++stretch) {
    uint64_t begin = stretch * stretchBytes;
    uint64_t end = begin + tokens * positionBytes;
    next = std::max(next, begin / pageBytes);
    for (; next * pageBytes < end; ++next) {
      if (pages[next])
        continue;
      uint64_t at = next * pageBytes;
      if (ranges.empty() || ranges.back().end != at)
        ranges.push_back({at, at});
      ranges.back().end += pageBytes;
    }
  }
  return ranges;
}

pmpd_status KvCache::grow(int64_t tokens) {
  if (tokens <= covered)
    return PMPD_OK;
  // Whole pages of every stretch, so that this is done once in a while.
  int64_t step = std::max<int64_t>(pageBytes / positionBytes, 1);
  int64_t target =
      std::min<int64_t>((tokens + step - 1) / step * step, context);
  std::vector<Range> ranges = rangesToMap(target);
  uint64_t needed = 0;
  for (Range range : ranges)
    needed += range.end - range.begin;
  for (Range range : ranges)
    if (pmpd_status status = map(range, needed))
      return status;
  covered = target;
  return PMPD_OK;
}

pmpd_status KvCache::map(Range range, uint64_t needed) {
  const Api &api = device.api();
  const uint64_t size = range.end - range.begin;
  AllocationHandle memory = 0;
  if (pmpd_status status = checkAllocation(
          device, api.allocationCreate.name,
          api.allocationCreate.function(&memory, size, &properties, 0), needed,
          "KV cache"))
    return status;
  pmpd_status status = api.memoryMap(base + range.begin, size, 0, memory, 0);
  // The mapping keeps the memory.
  api.allocationRelease.function(memory);
  if (status)
    return status;
  AccessDescription access = {properties.location, kAccessReadWrite};
  status = api.memorySetAccess(base + range.begin, size, &access, 1);
  if (status) {
    api.memoryUnmap.function(base + range.begin, size);
    return status;
  }
  mappings.push_back(range);
  std::fill(pages.begin() + range.begin / pageBytes,
            pages.begin() + range.end / pageBytes, true);
  return PMPD_OK;
}

pmpd_status KvCache::copyLayer(int32_t layer, int64_t tokens,
                               StreamHandle stream, uint8_t *host) const {
  if (tokens == 0)
    return PMPD_OK;
  for (uint64_t i = 0; i < layerStretches; ++i) {
    uint64_t at = (layer * layerStretches + i) * stretchBytes;
    if (pmpd_status status = device.api().copyToHost(
            host + at, base + at, tokens * positionBytes, stream))
      return status;
  }
  return device.api().streamSynchronize(stream);
}

void KvCache::clear() {
  for (Range range : mappings)
    device.api().memoryUnmap.function(base + range.begin,
                                      range.end - range.begin);
  mappings.clear();
  pages.assign(pages.size(), false);
  covered = 0;
}
