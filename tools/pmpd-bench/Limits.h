// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the machine can do at most, measured in the same run as what is compared
// with it.
#ifndef PMPD_TOOLS_PMPD_BENCH_LIMITS_H
#define PMPD_TOOLS_PMPD_BENCH_LIMITS_H

#include "runtime/ThreadPool.h"

#include <cstddef>
#include <cstdint>
#include <memory>

namespace pmpd::tools {

/// Memory filled with random bytes, in huge pages where the system gives them.
class RandomBytes {
public:
  /// Throws ToolError where there is no such memory.
  RandomBytes(size_t bytes, uint64_t seed);
  uint8_t *data() const { return memory.get(); }
  size_t size() const { return bytes; }

private:
  struct Unmap {
    size_t bytes;
    void operator()(uint8_t *memory) const;
  };
  size_t bytes;
  std::unique_ptr<uint8_t, Unmap> memory;
};

/// Bytes after which no line read before is in a cache: four times the last
/// level, or a guess where the system does not tell.
size_t coldBytes();

/// Seconds to read `bytes` once, every thread its contiguous share.
double timeRead(rt::ThreadPool &pool, const uint8_t *memory, size_t bytes);

/// Instructions for sums of products of bytes.
enum class Int8Dot { None, AVX2, AVXVNNI, AVX512VNNI, AMX };

/// Multiplications of bytes per second on all threads together, from registers;
/// 0 for None.
double measureInt8Peak(rt::ThreadPool &pool, int threads, Int8Dot kind);

} // namespace pmpd::tools

#endif // PMPD_TOOLS_PMPD_BENCH_LIMITS_H
