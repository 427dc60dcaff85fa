// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/targets/npu/Execute.h"
#include "runtime/targets/npu/Float.h"

#include <algorithm>
#include <cmath>
#include <cstring>

using namespace pmpd::npu;

/// Largest magnitude of x[n]; infinity if one is NaN.
static float largest(const float *x, unsigned n) {
  uint32_t most = 0;
  for (unsigned k = 0; k < n; ++k) // magnitudes compare like their bits
    most = std::max(most, bitsOf(x[k]) & 0x7FFFFFFFu);
  return most > 0x7F800000u ? INFINITY : floatOf(most);
}

template <typename Code>
static const char *quantizeRows(const Work &work, const Units &units,
                                float limit) {
  const pmpd_npu_qact &in = work.instruction->qact;
  unsigned group = groupOf(in.h);
  auto *q = units.at<Code>(work.local[1]);
  auto *scale = units.at<pmpd_npu_group_scale>(work.local[2]);
  for (uint64_t m = 0; m < work.rows; ++m) {
    const auto *x = units.at<float>(work.local[0] + m * in.xstride64 * 64);
    for (unsigned g = 0; g < in.K / group; ++g, x += group, q += group) {
      float amax = largest(x, group);
      if (amax == INFINITY)
        return "an activation is not finite";
      bool zero = amax < 0x1p-100f;
      float inverse = zero ? 0.0f : limit / amax;
      int32_t sum = 0;
      for (unsigned k = 0; k < group; ++k) {
        float code = roundToEven(x[k] * inverse);
        code = std::min(std::max(code, -limit), limit);
        q[k] = static_cast<Code>(static_cast<int32_t>(code));
        sum += q[k];
      }
      *scale++ = {zero ? 0.0f : amax / limit, sum};
    }
  }
  return nullptr;
}

const char *pmpd::npu::executeQuantize(const Work &work, const Units &units) {
  return work.instruction->h.flags & PMPD_NPU_F_A16
             ? quantizeRows<int16_t>(work, units, 32767.0f)
             : quantizeRows<int8_t>(work, units, 127.0f);
}

const char *pmpd::npu::executeKvQuantize(const Work &work, const Units &units) {
  const pmpd_npu_kvq &in = work.instruction->kvq;
  auto *out = units.at<uint8_t>(work.local[1]);
  auto *scale = units.at<uint16_t>(work.local[2]);
  float limit = in.h.mode == PMPD_NPU_KV_I8 ? 127.0f : 7.0f;
  for (uint64_t m = 0; m < work.rows; ++m) {
    const auto *x = units.at<float>(work.local[0] + m * in.xstride64 * 64);
    for (unsigned head = 0; head < in.heads; ++head, x += in.hd) {
      float amax = largest(x, in.hd);
      if (amax == INFINITY)
        return "a key or value is not finite";
      if (in.h.mode == PMPD_NPU_KV_F16) {
        for (unsigned i = 0; i < in.hd; ++i, out += 2) {
          uint16_t half = floatToHalf(x[i]);
          if ((half & 0x7FFF) == 0x7C00)
            return "a key or value overflows fp16";
          std::memcpy(out, &half, 2);
        }
        continue;
      }
      uint16_t half = floatToHalf(amax / limit);
      if (half == 0x7C00)
        return "the scale of a key or value overflows fp16";
      *scale++ = half;
      float inverse = half ? 1.0f / halfToFloat(half) : 0.0f;
      auto code = [&](unsigned i) {
        float rounded = roundToEven(x[i] * inverse);
        return static_cast<uint8_t>(
            static_cast<int32_t>(std::min(std::max(rounded, -limit), limit)));
      };
      if (in.h.mode == PMPD_NPU_KV_I8)
        for (unsigned i = 0; i < in.hd; ++i)
          *out++ = code(i);
      else
        for (unsigned i = 0; i < in.hd; i += 2)
          *out++ =
              static_cast<uint8_t>((code(i) & 15) | (code(i + 1) & 15) << 4);
    }
  }
  return nullptr;
}
