// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_LIB_QUANT_QUANTIZER_H
#define PMPD_LIB_QUANT_QUANTIZER_H

#include "lib/Quant/NestedTensor.h"
#include <memory>
#include <string_view>

namespace pmpd {

/// What calibration knows of the inputs of a linear layer.
struct InputStatistics {
  /// [cols], mean square of every input; empty if it was not gathered, which
  /// takes all inputs for alike.
  std::vector<float> meanSquare;

  /// [cols, cols], mean product of every two inputs; empty if it was not
  /// gathered. Its diagonal is meanSquare.
  std::vector<float> products;

  /// What the inputs become when the layers before are quantized.
  struct Quantized {
    std::vector<float> products; /// [cols, cols], of every two of them
    /// [cols, cols], of every unquantized input (row) with every quantized one.
    std::vector<float> cross;
  };
  /// One for each readable precision of the weight; empty if not gathered.
  std::vector<Quantized> quantized;

  /// Whether errors at different inputs are known to make up for one another.
  bool hasProducts() const { return !products.empty() || !quantized.empty(); }
};

/// Quantizes rows of one weight after preparing what its rows share.
class RowQuantizer {
public:
  virtual ~RowQuantizer() = default;

  /// Quantizes rows begin .. end-1 of weights [rows, cols] into the same rows
  /// of `out`. Rows do not depend on one another, so the result does not
  /// depend on how they are split; calls may run at once on other rows.
  virtual void quantizeRows(const float *weights, int64_t begin, int64_t end,
                            NestedTensor &out) const = 0;
};

/// An entry of the list of quantizers.
struct QuantizerInfo {
  std::string_view name;
  std::string_view summary;
  bool usesProducts;   /// Gains from products of the inputs.
  bool makesCodebook;  /// Wants shapes of a codebook, all others affine ones.
  bool takesOnePrefix; /// Its codes are good at their full bits alone.
  bool rotatesInputs;  /// Wants shapes with `rotated`, all others without.
  std::unique_ptr<RowQuantizer> (*create)(const NestedShape &shape,
                                          const InputStatistics &statistics);

  /// Whether kernels read its codes; the values of others can be simulated.
  bool hasKernels() const { return !makesCodebook && !rotatesInputs; }
};

/// All quantizers.
const std::vector<QuantizerInfo> &quantizers();

/// Their names as a text: "a, b or c".
std::string quantizerNames();

/// The quantizer of that name, or null.
const QuantizerInfo *findQuantizer(std::string_view name);

/// Quantizes finite weights [shape.rows, shape.cols], which may be some rows
/// of a larger weight, on `threads` threads (at least 1); `out` is the same
/// for every number of threads. Returns false and sets `error` if the shape has
/// a problem, the statistics do not fit it, or a weight is not finite or
/// exceeds the range of a half.
bool quantize(const QuantizerInfo &quantizer, const float *weights,
              const InputStatistics &statistics, const NestedShape &shape,
              unsigned threads, NestedTensor &out, std::string &error);

} // namespace pmpd

#endif // PMPD_LIB_QUANT_QUANTIZER_H
