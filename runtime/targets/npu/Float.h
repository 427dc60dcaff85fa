// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The machine's arithmetic on single numbers (include/pmpd/npu.h). Whoever
// includes this is compiled with -ffp-contract=off.
#ifndef PMPD_RUNTIME_TARGETS_NPU_FLOAT_H
#define PMPD_RUNTIME_TARGETS_NPU_FLOAT_H

#include <cstdint>
#include <cstring>

namespace pmpd::npu {

inline uint32_t bitsOf(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  return bits;
}
inline float floatOf(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

/// Nearest even integer of |x| < 2^22: adding this pushes the fraction out.
inline float roundToEven(float x) {
  constexpr float shifter = 0x1.8p23f;
  return (x + shifter) - shifter;
}

/// f16 to f32. Free of branches and of f32 subnormals, so that it vectorizes
/// and does not depend on the caller's flush-to-zero mode.
inline float halfToFloat(uint16_t half) {
  uint32_t magnitude = (half & 0x7FFFu) << 13;
  uint32_t sign = (half & 0x8000u) << 16;
  float normal = floatOf(magnitude + (112u << 23));
  float subnormal = floatOf(magnitude + (113u << 23)) - 0x1p-14f;
  uint32_t bits = (half & 0x7C00u) ? bitsOf(normal) : bitsOf(subnormal);
  uint32_t special = (half & 0x7C00u) == 0x7C00u ? 0x7F800000u : 0;
  return floatOf(bits | special | sign);
}

/// f32 to f16, to nearest even.
inline uint16_t floatToHalf(float value) {
  uint32_t bits = bitsOf(value);
  uint32_t magnitude = bits & 0x7FFFFFFFu;
  uint32_t half;
  if (magnitude > 0x7F800000u)
    half = 0x7E00; // NaN
  else if (magnitude >= 0x477FF000u)
    half = 0x7C00;                  // rounds to 65536 or more
  else if (magnitude < 0x38800000u) // subnormal: the addition rounds it
    half = bitsOf(floatOf(magnitude) + 0.5f) - bitsOf(0.5f);
  else
    half = (magnitude - (112u << 23) + 0xFFFu + ((magnitude >> 13) & 1)) >> 13;
  return static_cast<uint16_t>(half | ((bits >> 16) & 0x8000u));
}

/// exp as the machine computes it.
inline float machineExp(float x) {
  float bounded = x < 88.0f ? x : 88.0f;
  bounded = bounded > -87.0f ? bounded : -87.0f;
  float n = roundToEven(bounded * 0x1.715476p+0f);
  float r = bounded - n * 0x1.62e4p-1f;
  r = r - n * 0x1.7f7d1cp-20f;
  float p = 0x1.6c16c2p-10f;
  p = p * r + 0x1.111112p-7f;
  p = p * r + 0x1.555556p-5f;
  p = p * r + 0x1.555556p-3f;
  p = p * r + 0x1p-1f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  uint32_t bits =
      bitsOf(p) + (static_cast<uint32_t>(static_cast<int32_t>(n)) << 23);
  return x >= -87.0f ? floatOf(bits) : 0.0f;
}

inline float machineErf(float x) {
  float magnitude = floatOf(bitsOf(x) & 0x7FFFFFFFu);
  float t = 1.0f / (1.0f + 0x1.4f740ap-2f * magnitude);
  float p = 0x1.0fb844p+0f;
  p = p * t + -0x1.7401c6p+0f;
  p = p * t + 0x1.6be1c6p+0f;
  p = p * t + -0x1.23531cp-2f;
  p = p * t + 0x1.04f20cp-2f;
  p = p * t;
  float y = 1.0f - p * machineExp(-(x * x));
  return floatOf(bitsOf(y) | (bitsOf(x) & 0x80000000u));
}

} // namespace pmpd::npu

#endif // PMPD_RUNTIME_TARGETS_NPU_FLOAT_H
