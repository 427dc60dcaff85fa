// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/simt/cuda/Fake.h"

#include <cstring>
#include <sys/mman.h>

using namespace pmpd::fakecuda;

// Device addresses are those of the host and a bit that no pointer has, so
// that they fault where the host uses them.
static constexpr Address kDeviceBit = Address(1) << 60;
static constexpr uint64_t kAlignment = 256;
static constexpr uint64_t kGuardBytes = 1 << 20;

static uint64_t roundUp(uint64_t value, uint64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

uint64_t Memory::total() const {
  return uint64_t(setting("PMPD_FAKE_CUDA_MEMORY", 4 << 20)) << 10;
}

Result Memory::add(Address *address, uint64_t bytes, bool reserved) {
  // One page more so that they begin at a multiple, and the guard.
  uint64_t pageBytes = roundUp(bytes, kPageBytes) + kPageBytes + kGuardBytes;
  void *pages = mmap(nullptr, pageBytes, PROT_NONE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (pages == MAP_FAILED)
    return kOutOfMemory;
  auto *start = static_cast<uint8_t *>(pages);
  // Ends where the guard begins, but for the alignment.
  Address begin = roundUp(Address(start), kPageBytes) +
                  roundUp(bytes, kPageBytes) - roundUp(bytes, kAlignment);
  *address = begin | kDeviceBit;
  blocks[*address] = {start, pageBytes, bytes, reserved};
  return kSuccess;
}

Result Memory::allocate(Address *address, uint64_t bytes) {
  if (bytes == 0)
    misuse("an allocation of 0 bytes");
  if (bytes > free())
    return kOutOfMemory;
  if (Result result = add(address, bytes, false))
    return result;
  const Block &block = blocks[*address];
  Address end = (*address & ~kDeviceBit) + roundUp(bytes, kAlignment);
  uint64_t accessible = end - Address(block.pages);
  mprotect(block.pages, accessible, PROT_READ | PROT_WRITE);
  std::memset(reinterpret_cast<void *>(*address & ~kDeviceBit), 0xFF, bytes);
  used += bytes;
  return kSuccess;
}

void Memory::free(Address address) {
  auto found = blocks.find(address);
  if (found == blocks.end() || found->second.reserved)
    misuse("free of what was not allocated");
  used -= found->second.bytes;
  munmap(found->second.pages, found->second.pageBytes);
  blocks.erase(found);
}

Result Memory::create(AllocationHandle *handle, uint64_t bytes) {
  if (bytes == 0 || bytes % kPageBytes)
    misuse("an allocation that is no multiple of the granularity");
  if (bytes > free())
    return kOutOfMemory;
  used += bytes;
  *handle = nextHandle++;
  handles[*handle] = {bytes, false, 0};
  return kSuccess;
}

void Memory::dropIfUnused(AllocationHandle handle) {
  const Allocation &allocation = handles.at(handle);
  if (!allocation.released || allocation.mappings > 0)
    return;
  used -= allocation.bytes;
  handles.erase(handle);
}

void Memory::release(AllocationHandle handle) {
  auto found = handles.find(handle);
  if (found == handles.end() || found->second.released)
    misuse("release of an allocation that is none");
  found->second.released = true;
  dropIfUnused(handle);
}

Result Memory::reserve(Address *address, uint64_t bytes) {
  if (bytes == 0 || bytes % kPageBytes)
    misuse("a reservation that is no multiple of the granularity");
  return add(address, bytes, true);
}

void Memory::unreserve(Address address, uint64_t bytes) {
  auto found = blocks.find(address);
  if (found == blocks.end() || !found->second.reserved ||
      found->second.bytes != bytes)
    misuse("free of addresses that were not reserved");
  auto mapped = mappings.lower_bound(address);
  if (mapped != mappings.end() && mapped->first < address + bytes)
    misuse("free of addresses that are mapped");
  munmap(found->second.pages, found->second.pageBytes);
  blocks.erase(found);
}

void Memory::map(Address address, uint64_t bytes, AllocationHandle handle) {
  auto block = blocks.upper_bound(address);
  if (block == blocks.begin() || !(--block)->second.reserved ||
      address + bytes > block->first + block->second.bytes)
    misuse("a mapping outside of reserved addresses");
  auto allocation = handles.find(handle);
  if (allocation == handles.end() || allocation->second.released ||
      allocation->second.bytes != bytes || address % kPageBytes)
    misuse("a mapping that does not fit its allocation");
  auto next = mappings.lower_bound(address);
  if (next != mappings.end() && next->first < address + bytes)
    misuse("a mapping over another one");
  if (next != mappings.begin() &&
      std::prev(next)->first + std::prev(next)->second.first.bytes > address)
    misuse("a mapping over another one");
  ++allocation->second.mappings;
  mappings[address] = {{bytes, false}, handle};
}

void Memory::setAccess(Address address, uint64_t bytes) {
  auto found = mappings.find(address);
  if (found == mappings.end() || found->second.first.bytes != bytes)
    misuse("access to what is not mapped");
  found->second.first.accessible = true;
  auto *data = reinterpret_cast<uint8_t *>(address & ~kDeviceBit);
  mprotect(data, bytes, PROT_READ | PROT_WRITE);
  std::memset(data, 0xFF, bytes);
}

void Memory::unmap(Address address, uint64_t bytes) {
  auto found = mappings.find(address);
  if (found == mappings.end() || found->second.first.bytes != bytes)
    misuse("unmapping of what is not mapped");
  auto *data = reinterpret_cast<uint8_t *>(address & ~kDeviceBit);
  madvise(data, bytes, MADV_DONTNEED);
  mprotect(data, bytes, PROT_NONE);
  AllocationHandle handle = found->second.second;
  --handles.at(handle).mappings;
  mappings.erase(found);
  dropIfUnused(handle);
}

uint8_t *Memory::at(Address address, uint64_t bytes, const char *what) const {
  auto block = blocks.upper_bound(address);
  if (block == blocks.begin() ||
      address + bytes > (--block)->first + block->second.bytes)
    misuse(std::string(what) + " is not in device memory");
  return reinterpret_cast<uint8_t *>(address & ~kDeviceBit);
}
