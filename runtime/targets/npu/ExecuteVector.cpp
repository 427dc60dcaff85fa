// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/targets/npu/Execute.h"
#include "runtime/targets/npu/Float.h"

#include <cmath>

using namespace pmpd::npu;

/// Sum of term(k) over n elements in 64 lanes, folded by halves.
template <typename Term> static float sumOver(unsigned n, Term term) {
  float lanes[64] = {};
  for (unsigned k = 0; k < n; ++k)
    lanes[k % 64] += term(k);
  for (unsigned half = 32; half; half /= 2)
    for (unsigned j = 0; j < half; ++j)
      lanes[j] += lanes[j + half];
  return lanes[0];
}

void pmpd::npu::executeNorm(const Work &work, const Units &units) {
  const pmpd_npu_norm &in = work.instruction->norm;
  bool layer = in.h.mode == 1;
  const auto *w = units.at<float>(work.local[1]);
  const auto *b = units.at<float>(work.local[2]);
  auto dims = static_cast<float>(in.D);
  for (uint64_t m = 0; m < work.rows; ++m) {
    const auto *x = units.at<float>(work.local[0] + m * 4 * in.D);
    auto *out = units.at<float>(work.local[3] + m * 4 * in.D);
    float mean =
        layer ? sumOver(in.D, [&](unsigned k) { return x[k]; }) / dims : 0.0f;
    auto centered = [&](unsigned k) { return layer ? x[k] - mean : x[k]; };
    float squares = sumOver(in.D, [&](unsigned k) {
      float c = centered(k);
      return c * c;
    });
    // sqrt is correctly rounded by IEEE 754, unlike the rest of libm.
    float r = 1.0f / std::sqrt(squares / dims + in.eps);
    for (unsigned k = 0; k < in.D; ++k) {
      float y = centered(k) * r * w[k];
      out[k] = layer ? y + b[k] : y;
    }
  }
}

void pmpd::npu::executeRope(const Work &work, const Units &units) {
  const pmpd_npu_rope &in = work.instruction->rope;
  unsigned hd = 8 * in.hd8, n = in.n;
  for (uint64_t m = 0; m < work.rows; ++m) {
    const auto *x = units.at<float>(work.local[0] + m * in.xstride64 * 64);
    const auto *c = units.at<float>(work.local[1] + m * 8 * n);
    auto *out = units.at<float>(work.local[2] + m * in.ostride64 * 64);
    for (unsigned head = 0; head < in.heads; ++head, x += hd, out += hd) {
      for (unsigned i = 0; i < n; ++i) {
        unsigned first = in.h.mode ? 2 * i : i;
        unsigned second = in.h.mode ? 2 * i + 1 : i + n;
        float a = x[first], b = x[second];
        out[first] = a * c[i] - b * c[n + i];
        out[second] = b * c[i] + a * c[n + i];
      }
      for (unsigned i = 2 * n; i < hd; ++i)
        out[i] = x[i];
    }
  }
}

static float silu(float a) { return a / (1.0f + machineExp(-a)); }

static float geluTanh(float a) {
  float z = 0x1.988454p-1f * (a + 0x1.6e4e26p-5f * (a * (a * a)));
  return a / (1.0f + machineExp(-2.0f * z));
}

static float geluErf(float a) {
  return (0.5f * a) * (1.0f + machineErf(a * 0x1.6a09e6p-1f));
}

/// out[i] = fn(i) for one row.
template <typename Out, typename Fn>
static void each(void *out, unsigned n, Fn fn) {
  for (unsigned i = 0; i < n; ++i)
    static_cast<Out *>(out)[i] = fn(i);
}

void pmpd::npu::executeElementwise(const Work &work, const Units &units) {
  const pmpd_npu_elt &in = work.instruction->elt;
  unsigned bStride = in.h.flags & PMPD_NPU_F_BCAST ? 0 : in.astride64 * 64;
  for (uint64_t m = 0; m < work.rows; ++m) {
    const auto *a = units.at<float>(work.local[0] + m * in.astride64 * 64);
    const auto *b = units.at<float>(work.local[1] + m * bStride);
    const auto *halves = reinterpret_cast<const uint16_t *>(a);
    void *out = units.at<void>(work.local[2] + m * in.ostride64 * 64);
    auto apply = [&](auto fn) { each<float>(out, in.n, fn); };
    switch (in.h.mode) {
    case PMPD_NPU_COPY:
      apply([&](unsigned i) { return a[i]; });
      break;
    case PMPD_NPU_ADDF:
      apply([&](unsigned i) { return a[i] + b[i]; });
      break;
    case PMPD_NPU_SUBF:
      apply([&](unsigned i) { return a[i] - b[i]; });
      break;
    case PMPD_NPU_MULF:
      apply([&](unsigned i) { return a[i] * b[i]; });
      break;
    case PMPD_NPU_SILU:
      apply([&](unsigned i) { return silu(a[i]); });
      break;
    case PMPD_NPU_SILU_MUL:
      apply([&](unsigned i) { return silu(a[i]) * b[i]; });
      break;
    case PMPD_NPU_GELU_TANH:
      apply([&](unsigned i) { return geluTanh(a[i]); });
      break;
    case PMPD_NPU_GELU_ERF:
      apply([&](unsigned i) { return geluErf(a[i]); });
      break;
    case PMPD_NPU_RELU:
      apply([&](unsigned i) { return a[i] > 0.0f ? a[i] : 0.0f; });
      break;
    case PMPD_NPU_SCALE:
      apply([&](unsigned i) { return a[i] * in.imm; });
      break;
    case PMPD_NPU_CVT16:
      each<uint16_t>(out, in.n, [&](unsigned i) { return floatToHalf(a[i]); });
      break;
    case PMPD_NPU_CVT32:
      apply([&](unsigned i) { return halfToFloat(halves[i]) * in.imm; });
      break;
    default:
      break;
    }
  }
}

const char *pmpd::npu::executeReduce(const Work &work, Units &units) {
  const pmpd_npu_red &in = work.instruction->red;
  const auto *x = units.at<float>(work.local[0]);
  uint32_t best = 0;
  for (uint32_t i = 0; i < in.n; ++i) {
    if (x[i] != x[i])
      return "an element is not a number";
    if (x[i] > x[best])
      best = i;
  }
  if (in.h.mode == 0)
    *units.at<uint32_t>(work.local[1]) = best;
  else
    *units.at<float>(work.local[1]) = x[best];
  units.reduced = best;
  return nullptr;
}
