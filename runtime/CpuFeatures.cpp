// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/CpuFeatures.h"

#include <algorithm>

#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#elif defined(__aarch64__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

namespace {

struct Feature {
  std::string_view name; // as LLVM spells it
  bool present;
};

#if defined(__x86_64__)
bool cpuidBit(unsigned leaf, unsigned bit) {
  unsigned eax, ebx, ecx = 0, edx;
  return __get_cpuid(leaf, &eax, &ebx, &ecx, &edx) && (ecx >> bit & 1);
}

/// Asks Linux for the registers of AMX, which a process does not have until
/// then. A later call finds them granted.
bool grantsTiles() {
  constexpr int requestPermission = 0x1023, tileData = 18;
  return syscall(SYS_arch_prctl, requestPermission, tileData) == 0;
}

// __builtin_cpu_supports takes only literals.
#define SAME(name)                                                             \
  { name, __builtin_cpu_supports(name) != 0 }

std::vector<Feature> detect() {
  __builtin_cpu_init();
  return {
      // Part of every x86-64.
      {"64bit", true},
      {"cx8", true},
      {"fxsr", true},
      {"x87", true},
      SAME("cmov"),
      SAME("mmx"),
      SAME("sse"),
      SAME("sse2"),
      SAME("sse3"),
      SAME("ssse3"),
      SAME("sse4.1"),
      SAME("sse4.2"),
      SAME("popcnt"),
      {"cx16", cpuidBit(1, 13)},
      {"sahf", cpuidBit(0x80000001, 0)},
      SAME("aes"),
      SAME("pclmul"),
      SAME("avx"),
      SAME("f16c"),
      SAME("fma"),
      SAME("avx2"),
      SAME("bmi"),
      SAME("bmi2"),
      SAME("lzcnt"),
      SAME("movbe"),
      SAME("gfni"),
      SAME("vaes"),
      SAME("vpclmulqdq"),
      SAME("avxvnni"),
      SAME("avx512f"),
      SAME("avx512bw"),
      SAME("avx512cd"),
      SAME("avx512dq"),
      SAME("avx512vl"),
      SAME("avx512ifma"),
      SAME("avx512vbmi"),
      SAME("avx512vbmi2"),
      SAME("avx512vnni"),
      SAME("avx512bitalg"),
      SAME("avx512vpopcntdq"),
      SAME("avx512bf16"),
      SAME("avx512fp16"),
      SAME("amx-tile"),
      SAME("amx-int8"),
      SAME("amx-bf16"),
  };
}
#undef SAME

#elif defined(__aarch64__)
std::vector<Feature> detect() {
  unsigned long caps = getauxval(AT_HWCAP), caps2 = getauxval(AT_HWCAP2);
  return {
      {"fp-armv8", (caps & HWCAP_FP) != 0},
      {"neon", (caps & HWCAP_ASIMD) != 0},
      {"crc", (caps & HWCAP_CRC32) != 0},
      {"lse", (caps & HWCAP_ATOMICS) != 0},
      {"rdm", (caps & HWCAP_ASIMDRDM) != 0},
      {"fullfp16", (caps & HWCAP_ASIMDHP) != 0},
      {"fp16fml", (caps & HWCAP_ASIMDFHM) != 0},
      {"dotprod", (caps & HWCAP_ASIMDDP) != 0},
      {"sve", (caps & HWCAP_SVE) != 0},
      {"sve2", (caps2 & HWCAP2_SVE2) != 0},
      {"i8mm", (caps2 & HWCAP2_I8MM) != 0},
      {"bf16", (caps2 & HWCAP2_BF16) != 0},
  };
}

#else
std::vector<Feature> detect() { return {}; }
#endif

#if !defined(__x86_64__)
bool grantsTiles() { return false; }
#endif

} // namespace

std::vector<std::string>
pmpd::rt::missingCpuFeatures(std::string_view features) {
  static const std::vector<Feature> known = detect();
  std::vector<std::string> missing;
  while (!features.empty()) {
    std::string_view name = features.substr(0, features.find(','));
    features.remove_prefix(std::min(name.size() + 1, features.size()));
    if (name.empty())
      continue;
    bool present = false;
    for (const Feature &feature : known)
      present |= feature.name == name && feature.present;
    if (name == "amx-tile")
      present = present && grantsTiles();
    if (!present)
      missing.emplace_back(name);
  }
  return missing;
}
