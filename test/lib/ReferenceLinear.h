// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// y = W_b x in double precision straight from packed bytes, by the formulas in
// the comments of pmpd/layout.h alone: no function of lib/Pack, no macro and no
// inline function of the header, so that it can judge them and the kernels.
#ifndef PMPD_TEST_LIB_REFERENCELINEAR_H
#define PMPD_TEST_LIB_REFERENCELINEAR_H

#include "pmpd/layout.h"
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

namespace pmpd::test {

/// A packed nested weight [rows, cols] that someone else owns.
struct PackedWeight {
  int64_t rows;
  int64_t cols;
  int64_t group;
  int bits;                  /// Of the parent codes.
  std::vector<int> prefixes; /// Ascending.
  pmpd_layout layout;
  const uint8_t *bytes;
};

inline int64_t roundUp(int64_t value, int64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

/// "Large regions start on a page, small ones on a line."
inline int64_t alignRegion(int64_t bytes) {
  return roundUp(bytes, bytes >= 65536 ? 4096 : 64);
}

/// Value of an IEEE binary16.
inline double halfValue(const uint8_t *bytes) {
  int half = bytes[0] + 256 * bytes[1];
  int exponent = half / 1024 % 32, fraction = half % 1024;
  double magnitude = exponent == 0 ? std::ldexp(fraction, -24)
                                   : std::ldexp(1024 + fraction, exponent - 25);
  return half >= 32768 ? -magnitude : magnitude;
}

/// code[n, k] >> (B - b), for b = `prefix` bits.
inline int referenceCode(const PackedWeight &w, int64_t n, int64_t k,
                         int prefix) {
  if (w.layout == PMPD_LAYOUT_PLAIN)
    return w.bytes[n * w.cols + k] >> (w.bits - prefix);
  if (w.layout == PMPD_LAYOUT_NPU) {
    // Plane p: words [rows / 64][cols / 32][64], bit k mod 32 of row n mod 64.
    int64_t plane = roundUp(w.rows, 64) * w.cols / 8;
    int64_t word = (n / 64 * (w.cols / 32) + k / 32) * 64 + n % 64;
    int code = 0;
    for (int p = 0; p < prefix; ++p)
      code =
          2 * code + (w.bytes[p * plane + word * 4 + k % 32 / 8] >> k % 8) % 2;
    return code;
  }
  if (w.layout == PMPD_LAYOUT_GPU) {
    // Plane p: words [rows / 16][cols / 256][n mod 8][4 runs of 32 columns]
    // [2 runs of 128 columns][n mod 16 / 8], bit k mod 32.
    int64_t tiles = roundUp(w.cols, 256) / 256;
    int64_t plane = roundUp(w.rows, 16) / 16 * tiles * 512;
    int64_t word = (n / 16 * tiles + k / 256) * 128 + n % 8 * 16 +
                   k / 32 % 4 * 4 + k / 128 % 2 * 2 + n / 8 % 2;
    int code = 0;
    for (int p = 0; p < prefix; ++p)
      code =
          2 * code + (w.bytes[p * plane + word * 4 + k % 32 / 8] >> k % 8) % 2;
    return code;
  }
  static const int third[2][4] = {{3, 1, 7, 5}, {2, 0, 6, 4}};
  static const int fourth[2][4] = {{2, 0, 6, 4}, {3, 1, 7, 5}};
  int v = k % 32 / 16, f = k % 16 / 4, i = k % 4;
  int64_t region = alignRegion(roundUp(w.rows, 16) * w.cols / 8);
  int64_t line = (n / 16 * (w.cols / 32) + k / 32) * 64 + 4 * (n % 16) + i;
  auto bitsAt = [&](int64_t j, int bit, int count) {
    return (w.bytes[j * region + line] >> bit) % (1 << count);
  };
  int code = bitsAt(v, 2 * f, 2);
  if (prefix >= 3)
    code = 2 * code + bitsAt(2, third[v][f], 1);
  if (prefix >= 4)
    code = 2 * code + bitsAt(3, fourth[v][f], 1);
  return code;
}

struct ScaleAndMin {
  double scale;
  double min;
};

/// (scale, min) of row n and group g for b = `prefix` bits.
inline ScaleAndMin referenceParams(const PackedWeight &w, int64_t n, int64_t g,
                                   int prefix) {
  int64_t index = std::find(w.prefixes.begin(), w.prefixes.end(), prefix) -
                  w.prefixes.begin();
  int64_t groups = w.cols / w.group;
  if (w.layout == PMPD_LAYOUT_PLAIN) {
    const uint8_t *pair = w.bytes + roundUp(w.rows * w.cols, 64) +
                          index * roundUp(w.rows * groups * 4, 64) +
                          (n * groups + g) * 4;
    return {halfValue(pair), halfValue(pair + 2)};
  }
  if (w.layout == PMPD_LAYOUT_NPU) {
    // After the planes, per prefix [rows / 64][groups] of 64 scales, 64 minima.
    int64_t padded = roundUp(w.rows, 64);
    const uint8_t *pair = w.bytes + w.bits * padded * w.cols / 8 +
                          index * padded * groups * 4 +
                          (n / 64 * groups + g) * 256;
    return {halfValue(pair + n % 64 * 2), halfValue(pair + 128 + n % 64 * 2)};
  }
  int64_t panels = roundUp(w.rows, 16) / 16;
  if (w.layout == PMPD_LAYOUT_GPU) {
    // After the planes, per prefix pairs [rows / 16][groups / 2][n mod 8]
    // [2 groups][n mod 16 / 8].
    int64_t pairs = roundUp(groups, 2) / 2;
    const uint8_t *pair =
        w.bytes + w.bits * panels * (roundUp(w.cols, 256) / 256) * 512 +
        index * panels * pairs * 128 + (n / 16 * pairs + g / 2) * 128 +
        n % 8 * 16 + g % 2 * 8 + n / 8 % 2 * 4;
    return {halfValue(pair), halfValue(pair + 2)};
  }
  const uint8_t *line =
      w.bytes + w.bits * alignRegion(panels * 16 * w.cols / 8) +
      index * alignRegion(panels * groups * 64) + (n / 16 * groups + g) * 64;
  return {halfValue(line + n % 16 * 2), halfValue(line + 32 + n % 16 * 2)};
}

/// W_b x with exact activations. x is [cols], the result [rows].
inline std::vector<double> referenceLinear(const PackedWeight &w, int prefix,
                                           const std::vector<float> &x) {
  std::vector<double> y(w.rows, 0.0);
  for (int64_t n = 0; n < w.rows; ++n)
    for (int64_t k = 0; k < w.cols; ++k) {
      ScaleAndMin p = referenceParams(w, n, k / w.group, prefix);
      y[n] += (p.scale * referenceCode(w, n, k, prefix) + p.min) * x[k];
    }
  return y;
}

/// Activations as integers of at most `limit` per group: x = scale * q.
struct QuantizedInput {
  std::vector<int32_t> q;   // [cols]
  std::vector<float> scale; // [cols / group]
};

/// Rounds x * (limit / max |x|) to nearest, ties to even, in f32. A group of
/// magnitudes below 2^-100 becomes zeros.
inline QuantizedInput quantizeInput(const std::vector<float> &x, int64_t group,
                                    int limit = 127) {
  QuantizedInput input;
  for (size_t begin = 0; begin < x.size(); begin += group) {
    float largest = 0;
    for (size_t k = begin; k < begin + group; ++k)
      largest = std::max(largest, std::fabs(x[k]));
    bool usable = largest >= 0x1p-100f;
    float inverse = usable ? static_cast<float>(limit) / largest : 0;
    input.scale.push_back(usable ? largest / static_cast<float>(limit) : 0);
    for (size_t k = begin; k < begin + group; ++k)
      input.q.push_back(static_cast<int32_t>(std::nearbyint(x[k] * inverse)));
  }
  return input;
}

/// W_b x with activations quantized per group: sums of integers, then
/// scale_x * (scale_w * sum(code * q) + min_w * sum(q)) per group.
inline std::vector<double> referenceLinearQuantized(const PackedWeight &w,
                                                    int prefix,
                                                    const QuantizedInput &x) {
  std::vector<double> y(w.rows, 0.0);
  for (int64_t n = 0; n < w.rows; ++n)
    for (int64_t g = 0; g < w.cols / w.group; ++g) {
      int64_t dot = 0, sum = 0;
      for (int64_t k = g * w.group; k < (g + 1) * w.group; ++k) {
        dot += int64_t{referenceCode(w, n, k, prefix)} * x.q[k];
        sum += x.q[k];
      }
      ScaleAndMin p = referenceParams(w, n, g, prefix);
      y[n] += x.scale[g] * (p.scale * dot + p.min * sum);
    }
  return y;
}

} // namespace pmpd::test

#endif // PMPD_TEST_LIB_REFERENCELINEAR_H
