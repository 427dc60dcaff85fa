// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_RUNTIME_TARGETS_CUDA_KVCACHE_H
#define PMPD_RUNTIME_TARGETS_CUDA_KVCACHE_H

#include "runtime/targets/cuda/Device.h"

#include <vector>

namespace pmpd::cuda {

/// The KV cache of a session: addresses for the whole context as kernel.h lays
/// it out, and memory behind those that hold tokens.
class KvCache {
public:
  /// Errors: DEVICE_ERROR.
  static pmpd_status create(const Device &device, const pmpd_model_desc &desc,
                            std::unique_ptr<KvCache> &cache);

  KvCache(const Device &device, const pmpd_model_desc &desc);
  KvCache(const KvCache &) = delete;
  ~KvCache();

  Address address() const { return base; }

  /// Puts memory behind positions 0 .. tokens-1. Memory that holds tokens stays
  /// where it is. Errors: OUT_OF_MEMORY, DEVICE_ERROR; what was there remains.
  pmpd_status grow(int64_t tokens);

  /// Copies positions 0 .. tokens-1 of a layer, which have memory, to the same
  /// offsets from `host` and waits for it. Errors: DEVICE_ERROR.
  pmpd_status copyLayer(int32_t layer, int64_t tokens, StreamHandle stream,
                        uint8_t *host) const;

  /// Gives all memory back. Nothing may be running on it.
  void clear();

private:
  struct Range { // in bytes from `base`
    uint64_t begin, end;
  };
  pmpd_status reserve();
  std::vector<Range> rangesToMap(int64_t tokens) const;
  /// `needed` is what the whole growth takes, for errors.
  pmpd_status map(Range range, uint64_t needed);

  const Device &device;
  AllocationProperties properties = {};
  Address base = 0;
  uint64_t bytes;         // reserved
  uint64_t pageBytes = 0; // what the device maps at once
  uint64_t stretchBytes;  // of one head, K or V, of one layer
  uint64_t positionBytes; // of a position in it
  uint64_t stretches;
  uint64_t layerStretches;
  int64_t context;
  int64_t covered = 0;         // positions that have memory
  std::vector<bool> pages;     // mapped
  std::vector<Range> mappings; // as they were made
};

} // namespace pmpd::cuda

#endif // PMPD_RUNTIME_TARGETS_CUDA_KVCACHE_H
