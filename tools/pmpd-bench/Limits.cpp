// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/pmpd-bench/Limits.h"
#include "tools/support/Samples.h"
#include "tools/support/Tool.h"

#include <algorithm>
#include <cstring>
#include <sys/mman.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

using namespace pmpd;
using namespace pmpd::tools;

namespace {

// One thread reads memory fastest in a few places at once, each well in front
// of where it is used: a single stream gets half to two thirds of that.
constexpr size_t kReadStreams = 4;
constexpr size_t kReadStream = 1 << 18;
constexpr size_t kReadBlock = kReadStreams * kReadStream;
constexpr size_t kReadAhead = 4096;
constexpr size_t kLine = 64;

/// Keeps a value alive without storing it anywhere that threads share.
template <typename T> void keep(const T &value) {
  asm volatile("" : : "r,m"(value) : "memory");
}

#if defined(__x86_64__)
__attribute__((target_clones("avx512f", "avx2", "default")))
#endif
uint64_t
sumBlock(const uint8_t *memory) {
  constexpr size_t words = kLine / sizeof(uint64_t);
  uint64_t sums[kReadStreams][words] = {};
  for (size_t at = 0; at < kReadStream; at += kLine)
    for (size_t stream = 0; stream < kReadStreams; ++stream) {
      const uint8_t *line = memory + stream * kReadStream + at;
      __builtin_prefetch(line + kReadAhead);
      for (size_t word = 0; word < words; ++word)
        sums[stream][word] += reinterpret_cast<const uint64_t *>(line)[word];
    }
  uint64_t sum = 0;
  for (const auto &stream : sums)
    for (uint64_t part : stream)
      sum += part;
  return sum;
}

void readBlocks(const pmpd_kernel_args *args, int64_t begin, int64_t end) {
  const auto *memory = static_cast<const uint8_t *>(args->ptr[0]);
  uint64_t sum = 0;
  for (int64_t block = begin; block < end; ++block)
    sum += sumBlock(memory + block * kReadBlock);
  keep(sum);
}

#if defined(__x86_64__)
// Enough chains of sums to hide the latency of each, in registers only: the
// operands are opaque to the optimizer but never reloaded.
constexpr int kChains = 12;
constexpr int64_t kRounds = 1 << 20;

__attribute__((target("avx512f,avx512vnni"))) void avx512Vnni() {
  __m512i sums[kChains], a = _mm512_set1_epi8(3), b = _mm512_set1_epi8(-5);
  for (__m512i &sum : sums)
    sum = _mm512_setzero_si512();
  for (int64_t i = 0; i < kRounds; ++i)
    for (__m512i &sum : sums) {
      sum = _mm512_dpbusd_epi32(sum, a, b);
      asm volatile("" : "+v"(sum));
    }
}

__attribute__((target("avx2,avxvnni"))) void avxVnni() {
  __m256i sums[kChains], a = _mm256_set1_epi8(3), b = _mm256_set1_epi8(-5);
  for (__m256i &sum : sums)
    sum = _mm256_setzero_si256();
  for (int64_t i = 0; i < kRounds; ++i)
    for (__m256i &sum : sums) {
      sum = _mm256_dpbusd_avx_epi32(sum, a, b);
      asm volatile("" : "+x"(sum));
    }
}

// Tiles of 16 rows of 64 bytes: four sums and two factors.
__attribute__((target("amx-tile,amx-int8"))) void amx() {
  struct {
    uint8_t palette = 1, start = 0, reserved[14] = {};
    uint16_t rowBytes[16] = {64, 64, 64, 64, 64, 64};
    uint8_t rows[16] = {16, 16, 16, 16, 16, 16};
  } config;
  _tile_loadconfig(&config);
  for (int64_t i = 0; i < kRounds; ++i) {
    _tile_dpbsud(0, 4, 5);
    _tile_dpbsud(1, 4, 5);
    _tile_dpbsud(2, 4, 5);
    _tile_dpbsud(3, 4, 5);
  }
  _tile_release();
}

// Bytes to 16 bits, added there over 4 products as the kernels do, then to 32.
__attribute__((target("avx2"))) void avx2() {
  __m256i sums[kChains], a = _mm256_set1_epi8(3), b = _mm256_set1_epi8(-5);
  for (__m256i &sum : sums)
    sum = _mm256_setzero_si256();
  for (int64_t i = 0; i < kRounds; ++i)
    for (__m256i &sum : sums) {
      __m256i products = _mm256_maddubs_epi16(a, b);
      asm volatile("" : "+x"(products));
      sum = _mm256_add_epi16(sum, products);
      asm volatile("" : "+x"(sum));
    }
}
#endif

struct Peak {
  void (*run)();
  double products; // of bytes, per call
};

Peak peakOf(Int8Dot kind) {
#if defined(__x86_64__)
  switch (kind) {
  case Int8Dot::None:
    break;
  case Int8Dot::AVX2:
    return {avx2, double(kRounds) * kChains * 32};
  case Int8Dot::AVXVNNI:
    return {avxVnni, double(kRounds) * kChains * 32};
  case Int8Dot::AVX512VNNI:
    return {avx512Vnni, double(kRounds) * kChains * 64};
  case Int8Dot::AMX:
    return {amx, double(kRounds) * 4 * 16 * 16 * 64};
  }
#endif
  return {nullptr, 0};
}

void runPeak(const pmpd_kernel_args *args, int64_t begin, int64_t end) {
  for (int64_t i = begin; i < end; ++i)
    static_cast<const Peak *>(args->ptr[0])->run();
}

} // namespace

RandomBytes::RandomBytes(size_t bytes, uint64_t seed)
    : bytes((bytes + kReadBlock - 1) / kReadBlock * kReadBlock) {
  void *mapped = mmap(nullptr, this->bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED)
    throw ToolError("no memory for " + std::to_string(this->bytes >> 20) +
                    " MiB of weights; ask for smaller shapes");
  memory = {static_cast<uint8_t *>(mapped), Unmap{this->bytes}};
  madvise(mapped, this->bytes, MADV_HUGEPAGE);
  // splitmix64
  for (size_t i = 0; i < this->bytes; i += sizeof(uint64_t)) {
    uint64_t z = seed += 0x9E3779B97F4A7C15;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    z ^= z >> 31;
    std::memcpy(memory.get() + i, &z, sizeof(z));
  }
}

void RandomBytes::Unmap::operator()(uint8_t *memory) const {
  munmap(memory, bytes);
}

size_t pmpd::tools::coldBytes() {
  long last = sysconf(_SC_LEVEL3_CACHE_SIZE);
  return 4 * size_t(last > 0 ? last : 32 << 20);
}

double pmpd::tools::timeRead(rt::ThreadPool &pool, const uint8_t *memory,
                             size_t bytes) {
  pmpd_kernel_args args = {};
  args.ptr[0] = const_cast<uint8_t *>(memory);
  return secondsOf(
      [&] { pool.run(readBlocks, &args, int64_t(bytes / kReadBlock)); });
}

double pmpd::tools::measureInt8Peak(rt::ThreadPool &pool, int threads,
                                    Int8Dot kind) {
  Peak peak = peakOf(kind);
  if (!peak.run)
    return 0;
  pmpd_kernel_args args = {};
  args.ptr[0] = &peak;
  double best = 0;
  for (int attempt = 0; attempt < 5; ++attempt)
    best = std::max(best, peak.products / secondsOf([&] {
                            pool.run(runPeak, &args, threads);
                          }));
  return best;
}
