// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the affine quantizers share: least-squares (scale, min) of one group.
#ifndef PMPD_LIB_QUANT_AFFINEFIT_H
#define PMPD_LIB_QUANT_AFFINEFIT_H

#include "lib/Quant/Quantizer.h"
#include "pmpd/artifact.h"
#include "pmpd/layout.h"
#include <array>

namespace pmpd {

constexpr int MaxCodes = 1 << PMPD_MAX_BITS;

/// scale * code + min; both are values of halves.
struct Affine {
  float scale = 0;
  float min = 0;

  /// Rounds both to the nearest finite halves.
  static Affine rounded(double scale, double min);
  double value(int code) const {
    return static_cast<double>(scale) * code + min;
  }
};

/// Values of one group with their importance, ready for fits to many codes.
struct WeightedGroup {
  struct Sample {
    float weight;
    float weightValue; /// weight * value
  };
  std::vector<Sample> samples; // [group]
  double square = 0;           /// sum of weight * value^2

  /// values and importance are [count]; no importance is all ones.
  void assign(const float *values, const float *importance, int64_t count);
};

/// Sums over a group by code: enough to fit every prefix and to know its
/// error.
class Moments {
public:
  /// codes [group] below 2^bits. The weights must not all be zero.
  Moments(const WeightedGroup &group, const uint8_t *codes, int bits);

  /// The least-squares (scale, min) for codes shifted down to `prefix` bits.
  /// The min is fitted to the scale as rounded.
  Affine fit(int prefix) const;

  /// Weighted squared error with these parameters at `prefix` bits.
  double loss(int prefix, Affine affine) const;

private:
  struct Sum {
    double weight = 0;
    double weightValue = 0;
  };
  int bits;
  double square;
  std::array<Sum, MaxCodes> sums; // by code
};

/// Writes the parameters of the group at `index` in row-major order.
void storeParams(Affine affine, int64_t index, NestedParams &params);

std::unique_ptr<RowQuantizer> createRtnQuantizer(const NestedShape &,
                                                 const InputStatistics &);
std::unique_ptr<RowQuantizer> createDiagQuantizer(const NestedShape &,
                                                  const InputStatistics &);
std::unique_ptr<RowQuantizer> createNldlqQuantizer(const NestedShape &,
                                                   const InputStatistics &);
std::unique_ptr<RowQuantizer> createGptqQuantizer(const NestedShape &,
                                                  const InputStatistics &);

} // namespace pmpd

#endif // PMPD_LIB_QUANT_AFFINEFIT_H
