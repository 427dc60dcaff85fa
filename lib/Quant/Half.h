// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// IEEE 754 binary16 held as its bits, without compiler extensions.
#ifndef PMPD_LIB_QUANT_HALF_H
#define PMPD_LIB_QUANT_HALF_H

#include <cstdint>
#include <cstring>

namespace pmpd {

/// Largest finite value of a half.
constexpr float MaxHalf = 65504.0f;

namespace detail {
template <typename To, typename From> To bitCast(From from) {
  static_assert(sizeof(To) == sizeof(From), "same size");
  To to;
  std::memcpy(&to, &from, sizeof(to));
  return to;
}
} // namespace detail

/// Exact.
inline float halfToFloat(uint16_t half) {
  uint32_t sign = static_cast<uint32_t>(half & 0x8000) << 16;
  uint32_t magnitude = static_cast<uint32_t>(half & 0x7FFF) << 13;
  if (magnitude >= 0x0F800000) // Infinity, NaN: the exponent is all ones.
    return detail::bitCast<float>(sign | magnitude | 0x7F800000);
  // The product moves the exponent's bias and normalizes subnormals.
  float value = detail::bitCast<float>(magnitude) * 0x1p112f;
  return detail::bitCast<float>(sign | detail::bitCast<uint32_t>(value));
}

/// Rounds to nearest, ties to even; beyond the range to infinity. NaN stays.
inline uint16_t floatToHalf(float value) {
  uint32_t bits = detail::bitCast<uint32_t>(value);
  uint16_t sign = static_cast<uint16_t>(bits >> 16 & 0x8000);
  bits &= 0x7FFFFFFF;
  if (bits > 0x7F800000)
    return sign | 0x7E00;
  if (bits >= 0x47800000) // 65536
    return sign | 0x7C00;
  if (bits < 0x38800000) { // Below 2^-14: the sum rounds at 2^-24.
    float sum = detail::bitCast<float>(bits) + 0.5f;
    return sign | static_cast<uint16_t>(detail::bitCast<uint32_t>(sum));
  }
  bits += 0x0FFF + (bits >> 13 & 1);
  return sign | static_cast<uint16_t>((bits - 0x38000000) >> 13);
}

} // namespace pmpd

#endif // PMPD_LIB_QUANT_HALF_H
