// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/runtime/npu/Reference.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <stdexcept>

using namespace pmpd::test;

namespace {

using Bytes = std::vector<uint8_t>;

template <typename Type> Type load(const Bytes &bytes, size_t at) {
  if (at + sizeof(Type) > bytes.size())
    throw std::out_of_range("the reference reads outside of the scratchpad");
  Type value;
  std::memcpy(&value, &bytes[at], sizeof(value));
  return value;
}

template <typename Type> void store(Bytes &bytes, size_t at, Type value) {
  if (at + sizeof(Type) > bytes.size())
    throw std::out_of_range("the reference writes outside of the scratchpad");
  std::memcpy(&bytes[at], &value, sizeof(value));
}

float loadHalf(const Bytes &bytes, size_t at) {
  return referenceHalfToFloat(load<uint16_t>(bytes, at));
}

/// Nearest integer, ties to even; the tests never change the rounding mode.
float rne(float x) { return std::nearbyint(x); }

float clampTo(float x, float limit) {
  return x < -limit ? -limit : x > limit ? limit : x;
}

float horner(float x, std::initializer_list<float> coefficients) {
  float sum = 0;
  bool first = true;
  for (float c : coefficients) {
    sum = first ? c : sum * x + c;
    first = false;
  }
  return sum;
}

float erfOf(float x) {
  float a = std::fabs(x);
  float t = 1.0f / (1.0f + 0x1.4f740ap-2f * a);
  float p = horner(t, {0x1.0fb844p+0f, -0x1.7401c6p+0f, 0x1.6be1c6p+0f,
                       -0x1.23531cp-2f, 0x1.04f20cp-2f, 0.0f});
  return std::copysign(1.0f - p * referenceExp(-(x * x)), x);
}

int groupOf(const pmpd_npu_header &h) { return 1 << ((h.mode >> 4 & 7) + 5); }

/// A tile of a nested weight in the scratchpad.
struct Nested {
  const Bytes &bytes;
  size_t planes, metadata;
  int n, k, bits, group, values;

  int bit(int plane, int row, int col) const {
    size_t blocks = (n + 63) / 64, words = k / 32;
    size_t word = ((plane * blocks + row / 64) * words + col / 32) * 64;
    return load<uint32_t>(bytes, planes + 4 * (word + row % 64)) >> (col % 32) &
           1;
  }
  float value(int row, int g, int index) const {
    size_t groups = k / group;
    size_t line = ((row / 64) * groups + g) * values + index;
    return loadHalf(bytes, metadata + 2 * (line * 64 + row % 64));
  }
};

/// One output of BPMV or MMQ.
float nestedDot(const Nested &w, int row, uint8_t flags, size_t x, size_t sx,
                float y) {
  const Bytes &bytes = w.bytes;
  for (int g = 0; g < w.k / w.group; ++g) {
    auto scale = load<pmpd_npu_group_scale>(bytes, sx + 8 * g);
    auto q = [&](int j) -> int64_t {
      size_t k = g * w.group + j;
      return flags & PMPD_NPU_F_A16 ? load<int16_t>(bytes, x + 2 * k)
                                    : load<int8_t>(bytes, x + k);
    };
    auto bit = [&](int p, int j) { return w.bit(p, row, g * w.group + j); };
    if (flags & PMPD_NPU_F_LUT) {
      float t = static_cast<float>(scale.sum) * (w.value(row, g, 0) * scale.sx);
      for (int subset = 1; subset < 1 << w.bits; ++subset) {
        int64_t sum = 0;
        for (int j = 0; j < w.group; ++j) {
          int64_t product = q(j);
          for (int p = 0; p < w.bits; ++p)
            if (subset >> p & 1)
              product *= 2 * bit(p, j) - 1;
          sum += product;
        }
        t = t + static_cast<float>(sum) * (w.value(row, g, subset) * scale.sx);
      }
      y = y + t;
      continue;
    }
    int64_t integer = 0;
    for (int j = 0; j < w.group; ++j) {
      int64_t code = 0;
      for (int p = 0; p < w.bits; ++p)
        code = 2 * code + bit(p, j);
      if (!(flags & PMPD_NPU_F_AFFINE))
        code = 2 * code + 1 - (1 << w.bits); // the bipolar code
      integer += code * q(j);
    }
    float t = static_cast<float>(integer) * (w.value(row, g, 0) * scale.sx);
    if (flags & PMPD_NPU_F_AFFINE)
      t = t + static_cast<float>(scale.sum) * (w.value(row, g, 1) * scale.sx);
    y = y + t;
  }
  return y;
}

bool quantize(const pmpd_npu_qact &in, int64_t rows, Bytes &bytes) {
  int group = groupOf(in.h);
  bool wide = in.h.flags & PMPD_NPU_F_A16;
  float limit = wide ? 32767 : 127;
  for (int64_t m = 0; m < rows; ++m)
    for (int g = 0; g < in.K / group; ++g) {
      auto x = [&](int j) {
        return load<float>(bytes,
                           in.x + m * in.xstride64 * 64 + 4 * (g * group + j));
      };
      float amax = 0;
      for (int j = 0; j < group; ++j) {
        if (!std::isfinite(x(j)))
          return false;
        amax = std::max(amax, std::fabs(x(j)));
      }
      bool zero = amax < std::ldexp(1.0f, -100);
      pmpd_npu_group_scale scale = {zero ? 0 : amax / limit, 0};
      for (int j = 0; j < group; ++j) {
        float code = zero ? 0 : clampTo(rne(x(j) * (limit / amax)), limit);
        size_t element = m * in.K + g * group + j;
        if (wide)
          store(bytes, in.q + 2 * element, static_cast<int16_t>(code));
        else
          store(bytes, in.q + element, static_cast<int8_t>(code));
        scale.sum += static_cast<int32_t>(code);
      }
      store(bytes, in.s + 8 * (m * (in.K / group) + g), scale);
    }
  return true;
}

void multiplyVector(const pmpd_npu_bpmv &in, Bytes &bytes) {
  int bits = in.h.mode & 15;
  Nested w = {bytes, in.w, in.sw, in.N, in.K, bits, groupOf(in.h), 1};
  if (in.h.flags & PMPD_NPU_F_AFFINE)
    w.values = 2;
  if (in.h.flags & PMPD_NPU_F_LUT)
    w.values = 1 << bits;
  for (int n = 0; n < in.N; ++n) {
    float y =
        in.h.flags & PMPD_NPU_F_ACC ? load<float>(bytes, in.out + 4 * n) : 0;
    store(bytes, in.out + 4 * n, nestedDot(w, n, in.h.flags, in.x, in.sx, y));
  }
}

void multiplyRows(const pmpd_npu_mmq &in, int64_t rows, Bytes &bytes) {
  int bits = in.h.mode & 15, group = groupOf(in.h);
  size_t planes = static_cast<size_t>((in.N + 63) / 64 * 64) * in.K / 8 * bits;
  Nested w = {bytes, in.w, in.w + planes, in.N, in.K, bits, group, 1};
  if (in.h.flags & PMPD_NPU_F_AFFINE)
    w.values = 2;
  if (in.h.flags & PMPD_NPU_F_LUT)
    w.values = 1 << bits;
  size_t cols = 32 * in.xcols32;
  for (int64_t m = 0; m < rows; ++m)
    for (int n = 0; n < in.N; ++n) {
      size_t out = in.out + m * in.ostride64 * 64 + 4 * n;
      float y = in.h.flags & PMPD_NPU_F_ACC ? load<float>(bytes, out) : 0;
      size_t x = in.x + m * cols * (in.h.flags & PMPD_NPU_F_A16 ? 2 : 1);
      store(bytes, out,
            nestedDot(w, n, in.h.flags, x, in.sx + m * (cols / group) * 8, y));
    }
}

void multiplyHalf(const pmpd_npu_mmh &in, int64_t rows, Bytes &bytes) {
  for (int64_t m = 0; m < rows; ++m)
    for (int n = 0; n < in.N; ++n) {
      size_t out = in.out + m * in.ostride64 * 64 + 4 * n;
      float y = in.h.flags & PMPD_NPU_F_ACC ? load<float>(bytes, out) : 0;
      for (int k = 0; k < in.K; ++k)
        y = y +
            loadHalf(bytes, in.w + 2 * ((n / 64 * in.K + k) * 64 + n % 64)) *
                loadHalf(bytes, in.x + m * in.xstride64 * 64 + 2 * k);
      store(bytes, out, y);
    }
}

/// Element j of token t of K (part 0) or V (part 1) of a KV tile.
float kvElement(const Bytes &bytes, const pmpd_npu_att &in, int part, int t,
                int j) {
  int hd = 8 * in.hd8, index = (part * 64 + t) * hd + j;
  if (in.h.mode == PMPD_NPU_KV_F16)
    return loadHalf(bytes, in.kv + 2 * index);
  if (in.h.mode == PMPD_NPU_KV_I8)
    return load<int8_t>(bytes, in.kv + index);
  int nibble = load<uint8_t>(bytes, in.kv + index / 2) >> (index % 2 ? 4 : 0);
  nibble &= 15;
  return static_cast<float>(nibble < 8 ? nibble : nibble - 16);
}

float kvScale(const Bytes &bytes, const pmpd_npu_att &in, int part, int t) {
  int hd = 8 * in.hd8;
  size_t elements = 2 * 64 * hd / (in.h.mode == PMPD_NPU_KV_I8 ? 1 : 2);
  return loadHalf(bytes, in.kv + elements + 2 * (part * 64 + t));
}

bool attend(const pmpd_npu_att &in, int64_t rows, int64_t visible,
            Bytes &bytes) {
  int hd = 8 * in.hd8;
  bool scaled = in.h.mode != PMPD_NPU_KV_F16;
  for (int64_t m = 0; m < rows; ++m)
    for (int head = 0; head < in.nq; ++head) {
      size_t vector = 4 * hd * (m * in.heads + head);
      size_t state = in.state + (m * in.nq + head) * (64 + 4 * hd);
      size_t o = state + 64;
      if (in.h.flags & PMPD_NPU_F_FIRST) {
        store(bytes, state, pmpd_npu_att_state{-INFINITY, 0, {}});
        for (int j = 0; j < hd; ++j)
          store(bytes, o + 4 * j, 0.0f);
      }
      auto tokens = static_cast<int>(std::clamp<int64_t>(visible + m, 0, 64));
      if (tokens > 0) {
        std::vector<float> s(tokens);
        float old = load<float>(bytes, state), most = old;
        for (int t = 0; t < tokens; ++t) {
          float d = 0;
          for (int j = 0; j < hd; ++j)
            d = d + load<float>(bytes, in.q + vector + 4 * j) *
                        kvElement(bytes, in, 0, t, j);
          if (scaled)
            d = d * kvScale(bytes, in, 0, t);
          s[t] = d * in.scale;
          if (std::isnan(s[t]))
            return false;
          most = std::max(most, s[t]);
        }
        float c = old == -INFINITY ? 0 : referenceExp(old - most);
        float sum = load<float>(bytes, state + 4) * c;
        for (int j = 0; j < hd; ++j)
          store(bytes, o + 4 * j, load<float>(bytes, o + 4 * j) * c);
        for (int t = 0; t < tokens; ++t) {
          float p = referenceExp(s[t] - most);
          sum = sum + p;
          float u = scaled ? p * kvScale(bytes, in, 1, t) : p;
          for (int j = 0; j < hd; ++j)
            store(bytes, o + 4 * j,
                  load<float>(bytes, o + 4 * j) +
                      u * kvElement(bytes, in, 1, t, j));
        }
        store(bytes, state, most);
        store(bytes, state + 4, sum);
      }
      if (in.h.flags & PMPD_NPU_F_LAST) {
        auto sum = load<float>(bytes, state + 4);
        for (int j = 0; j < hd; ++j)
          store(bytes, in.out + vector + 4 * j,
                sum == 0 ? 0.0f : load<float>(bytes, o + 4 * j) / sum);
      }
    }
  return true;
}

float laneSum(const std::vector<float> &terms) {
  std::vector<float> lanes(64);
  for (size_t k = 0; k < terms.size(); ++k)
    lanes[k % 64] = lanes[k % 64] + terms[k];
  for (int half : {32, 16, 8, 4, 2, 1})
    for (int j = 0; j < half; ++j)
      lanes[j] = lanes[j] + lanes[j + half];
  return lanes[0];
}

void normalize(const pmpd_npu_norm &in, int64_t rows, Bytes &bytes) {
  for (int64_t m = 0; m < rows; ++m) {
    std::vector<float> c(in.D), squares(in.D);
    for (int k = 0; k < in.D; ++k)
      c[k] = load<float>(bytes, in.x + 4 * (m * in.D + k));
    if (in.h.mode == 1) {
      float mean = laneSum(c) / static_cast<float>(in.D);
      for (float &each : c)
        each = each - mean;
    }
    for (int k = 0; k < in.D; ++k)
      squares[k] = c[k] * c[k];
    float r =
        1.0f / std::sqrt(laneSum(squares) / static_cast<float>(in.D) + in.eps);
    for (int k = 0; k < in.D; ++k) {
      float y = (c[k] * r) * load<float>(bytes, in.w + 4 * k);
      if (in.h.mode == 1)
        y = y + load<float>(bytes, in.b + 4 * k);
      store(bytes, in.out + 4 * (m * in.D + k), y);
    }
  }
}

void rotate(const pmpd_npu_rope &in, int64_t rows, Bytes &bytes) {
  int hd = 8 * in.hd8, n = in.n;
  for (int64_t m = 0; m < rows; ++m)
    for (int head = 0; head < in.heads; ++head) {
      size_t x = in.x + m * in.xstride64 * 64 + 4 * head * hd;
      size_t out = in.out + m * in.ostride64 * 64 + 4 * head * hd;
      std::vector<float> result(hd);
      for (int i = 0; i < hd; ++i)
        result[i] = load<float>(bytes, x + 4 * i);
      for (int i = 0; i < n; ++i) {
        int first = in.h.mode == 1 ? 2 * i : i;
        int second = in.h.mode == 1 ? 2 * i + 1 : n + i;
        float a = load<float>(bytes, x + 4 * first);
        float b = load<float>(bytes, x + 4 * second);
        float c = load<float>(bytes, in.cs + 4 * (m * 2 * n + i));
        float s = load<float>(bytes, in.cs + 4 * (m * 2 * n + n + i));
        result[first] = a * c - b * s;
        result[second] = b * c + a * s;
      }
      for (int i = 0; i < hd; ++i)
        store(bytes, out + 4 * i, result[i]);
    }
}

float elementOf(const pmpd_npu_elt &in, float a, float b) {
  auto silu = [](float x) { return x / (1.0f + referenceExp(-x)); };
  switch (in.h.mode) {
  case PMPD_NPU_ADDF:
    return a + b;
  case PMPD_NPU_SUBF:
    return a - b;
  case PMPD_NPU_MULF:
    return a * b;
  case PMPD_NPU_SILU:
    return silu(a);
  case PMPD_NPU_SILU_MUL:
    return silu(a) * b;
  case PMPD_NPU_GELU_TANH: {
    float cube = a * (a * a);
    float z = 0x1.988454p-1f * (a + 0x1.6e4e26p-5f * cube);
    return a / (1.0f + referenceExp(-2.0f * z));
  }
  case PMPD_NPU_GELU_ERF:
    return (0.5f * a) * (1.0f + erfOf(a * 0x1.6a09e6p-1f));
  case PMPD_NPU_RELU:
    return a > 0 ? a : 0.0f;
  case PMPD_NPU_SCALE:
  case PMPD_NPU_CVT32:
    return a * in.imm;
  default:
    return a;
  }
}

void elementwise(const pmpd_npu_elt &in, int64_t rows, Bytes &bytes) {
  bool narrows = in.h.mode == PMPD_NPU_CVT16;
  bool widens = in.h.mode == PMPD_NPU_CVT32;
  bool binary = in.h.mode == PMPD_NPU_ADDF || in.h.mode == PMPD_NPU_SUBF ||
                in.h.mode == PMPD_NPU_MULF || in.h.mode == PMPD_NPU_SILU_MUL;
  for (int64_t m = 0; m < rows; ++m)
    for (uint32_t i = 0; i < in.n; ++i) {
      size_t a = in.a + m * in.astride64 * 64 + i * (widens ? 2 : 4);
      size_t b = in.b + 4 * i;
      if (!(in.h.flags & PMPD_NPU_F_BCAST))
        b += m * in.astride64 * 64;
      float y =
          elementOf(in, widens ? loadHalf(bytes, a) : load<float>(bytes, a),
                    binary ? load<float>(bytes, b) : 0);
      size_t out = in.out + m * in.ostride64 * 64;
      if (narrows)
        store(bytes, out + 2 * i, referenceFloatToHalf(y));
      else
        store(bytes, out + 4 * i, y);
    }
}

bool reduce(const pmpd_npu_red &in, Bytes &bytes) {
  uint32_t best = 0;
  for (uint32_t i = 0; i < in.n; ++i) {
    auto x = load<float>(bytes, in.x + 4 * i);
    if (std::isnan(x))
      return false;
    if (x > load<float>(bytes, in.x + 4 * best))
      best = i;
  }
  if (in.h.mode == 0)
    store(bytes, in.out, best);
  else
    store(bytes, in.out, load<float>(bytes, in.x + 4 * best));
  return true;
}

bool quantizeKv(const pmpd_npu_kvq &in, int64_t rows, Bytes &bytes) {
  float limit = in.h.mode == PMPD_NPU_KV_I8 ? 127 : 7;
  for (int64_t m = 0; m < rows; ++m)
    for (int head = 0; head < in.heads; ++head) {
      auto x = [&](int i) {
        return load<float>(bytes, in.x + m * in.xstride64 * 64 +
                                      4 * (head * in.hd + i));
      };
      float amax = 0;
      for (int i = 0; i < in.hd; ++i) {
        if (!std::isfinite(x(i)))
          return false;
        amax = std::max(amax, std::fabs(x(i)));
      }
      size_t record = m * in.heads + head;
      if (in.h.mode == PMPD_NPU_KV_F16) {
        for (int i = 0; i < in.hd; ++i) {
          uint16_t half = referenceFloatToHalf(x(i));
          if (!std::isfinite(referenceHalfToFloat(half)))
            return false;
          store(bytes, in.out + 2 * (record * in.hd + i), half);
        }
        continue;
      }
      uint16_t half = referenceFloatToHalf(amax / limit);
      float scale = referenceHalfToFloat(half);
      if (!std::isfinite(scale))
        return false;
      store(bytes, in.scl + 2 * record, half);
      for (int i = 0; i < in.hd; ++i) {
        float code =
            scale == 0 ? 0 : clampTo(rne(x(i) * (1.0f / scale)), limit);
        size_t element = record * in.hd + i;
        if (in.h.mode == PMPD_NPU_KV_I8) {
          store(bytes, in.out + element, static_cast<int8_t>(code));
          continue;
        }
        size_t at = in.out + element / 2;
        auto byte = load<uint8_t>(bytes, at);
        int nibble = static_cast<int>(code) & 15;
        store(bytes, at,
              static_cast<uint8_t>(element % 2 ? (byte & 15) | nibble << 4
                                               : (byte & 240) | nibble));
      }
    }
  return true;
}

} // namespace

float pmpd::test::referenceHalfToFloat(uint16_t half) {
  int exponent = half >> 10 & 31, fraction = half & 1023;
  float magnitude =
      exponent == 31 ? (fraction ? NAN : INFINITY)
      : exponent == 0
          ? std::ldexp(static_cast<float>(fraction), -24)
          : std::ldexp(static_cast<float>(1024 + fraction), exponent - 25);
  return half & 0x8000 ? -magnitude : magnitude;
}

uint16_t pmpd::test::referenceFloatToHalf(float value) {
  uint16_t sign = std::signbit(value) ? 0x8000 : 0;
  if (std::isnan(value))
    return sign | 0x7E00;
  double magnitude = std::fabs(static_cast<double>(value));
  if (magnitude >= 65520)
    return sign | 0x7C00;
  int exponent = std::max(magnitude > 0 ? std::ilogb(magnitude) : -14, -14);
  // A multiple of 2^(exponent - 10); carries into the exponent by itself.
  auto units =
      static_cast<int>(std::nearbyint(std::ldexp(magnitude, 10 - exponent)));
  return static_cast<uint16_t>(sign + ((exponent + 14) << 10) + units);
}

float pmpd::test::referenceExp(float x) {
  if (!(x >= -87.0f))
    return 0;
  x = std::min(x, 88.0f);
  float n = rne(x * 0x1.715476p+0f);
  float r = (x - n * 0x1.62e4p-1f) - n * 0x1.7f7d1cp-20f;
  float p = horner(r, {0x1.6c16c2p-10f, 0x1.111112p-7f, 0x1.555556p-5f,
                       0x1.555556p-3f, 0x1p-1f, 1.0f, 1.0f});
  return std::ldexp(p, static_cast<int>(n));
}

bool pmpd::test::executeReference(const pmpd_npu_instruction &in, int64_t rows,
                                  int64_t visible, Bytes &bytes) {
  switch (in.h.op) {
  case PMPD_NPU_QACT:
    return quantize(in.qact, rows, bytes);
  case PMPD_NPU_BPMV:
    multiplyVector(in.bpmv, bytes);
    return true;
  case PMPD_NPU_MMQ:
    multiplyRows(in.mmq, rows, bytes);
    return true;
  case PMPD_NPU_MMH:
    multiplyHalf(in.mmh, rows, bytes);
    return true;
  case PMPD_NPU_ATT:
    return attend(in.att, rows, visible, bytes);
  case PMPD_NPU_NORM:
    normalize(in.norm, rows, bytes);
    return true;
  case PMPD_NPU_ROPE:
    rotate(in.rope, rows, bytes);
    return true;
  case PMPD_NPU_ELT:
    elementwise(in.elt, rows, bytes);
    return true;
  case PMPD_NPU_RED:
    return reduce(in.red, bytes);
  case PMPD_NPU_KVQ:
    return quantizeKv(in.kvq, rows, bytes);
  default:
    throw std::invalid_argument("not an instruction of a vector unit");
  }
}
