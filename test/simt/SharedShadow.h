// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_TEST_SIMT_SHAREDSHADOW_H
#define PMPD_TEST_SIMT_SHAREDSHADOW_H

#include "test/simt/Executor.h"

#include <vector>

namespace pmpd::simt {

enum class Access { Read, Write };

/// Remembers who touched each byte of a block's shared memory last, and finds
/// accesses that no barrier orders. Barriers of a block order all its threads;
/// those of a warp (bar.warp.sync) order its lanes; shuffles order nothing.
class SharedShadow {
public:
  SharedShadow(const Kernel &kernel, uint32_t warps);

  /// Forgets everything and fills the arrays with 0xFF.
  void beginBlock();
  void blockBarrier() { ++blockEpoch; }
  void warpBarrier(uint32_t warp) { ++warpEpochs[warp]; }

  /// Returns an empty text, or what is wrong with the access.
  std::string access(const void *address, uint32_t bytes, Access access,
                     uint32_t thread);

private:
  struct Touch {
    uint32_t thread = 0;
    uint32_t blockEpoch = 0; // 0 is never
    uint32_t warpEpoch = 0;
  };
  struct Byte {
    Touch write;
    Touch reads[2]; // by different threads, the latest first
  };

  bool isOrdered(const Touch &before, const Touch &now) const;

  const Kernel &kernel;
  std::vector<std::vector<Byte>> arrays; // of kernel.shared
  std::vector<uint32_t> warpEpochs;
  uint32_t blockEpoch = 1; // grows over all blocks
};

} // namespace pmpd::simt

#endif // PMPD_TEST_SIMT_SHAREDSHADOW_H
