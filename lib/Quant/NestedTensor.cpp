// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Quant/NestedTensor.h"
#include "lib/Quant/Half.h"
#include "lib/Quant/Rotation.h"
#include "pmpd/artifact.h"
#include "pmpd/layout.h"

#include <algorithm>

using namespace pmpd;

// Sizes in bytes then fit 64 bits with room to spare.
static constexpr int64_t MaxWeights = int64_t{1} << 40;

int NestedShape::prefixIndex(int prefix) const {
  auto it = std::find(prefixes.begin(), prefixes.end(), prefix);
  return it == prefixes.end() ? -1 : static_cast<int>(it - prefixes.begin());
}

static std::string text(int64_t value) { return std::to_string(value); }

std::string NestedShape::extentProblem() const {
  if (rows < 1 || cols < 1)
    return "expected at least one row and column, but got " + text(rows) +
           " x " + text(cols);
  if (rows > INT32_MAX || cols > INT32_MAX)
    return "expected at most 2147483647 rows and columns, but got " +
           text(rows) + " x " + text(cols);
  if (rows * cols > MaxWeights)
    return "expected at most 2^40 weights, but got " + text(rows) + " x " +
           text(cols);
  return "";
}

std::string NestedShape::problem() const {
  if (std::string extent = extentProblem(); !extent.empty())
    return extent;
  if (group < 0 || (group > 0 && cols % group != 0))
    return "expected a group that divides the " + text(cols) +
           " columns, but got " + text(group);
  if (bits < PMPD_MIN_BITS || bits > PMPD_MAX_BITS)
    return "expected " + text(PMPD_MIN_BITS) + " to " + text(PMPD_MAX_BITS) +
           " bits, but got " + text(bits);
  if (prefixes.empty() || prefixes.size() > PMPD_MAX_PREFIXES ||
      prefixes.front() < PMPD_MIN_BITS || prefixes.back() != bits ||
      !std::is_sorted(prefixes.begin(), prefixes.end(), std::less_equal<>())) {
    std::string list;
    for (int prefix : prefixes)
      list += (list.empty() ? "" : ", ") + text(prefix);
    return "expected readable bits in ascending order from at least " +
           text(PMPD_MIN_BITS) + " up to " + text(bits) + ", but got [" + list +
           "]";
  }
  return "";
}

NestedTensor::NestedTensor(NestedShape shape)
    : shape(std::move(shape)), codes(this->shape.rows * this->shape.cols),
      params(this->shape.prefixes.size()) {
  for (size_t p = 0; p < params.size(); ++p) {
    if (this->shape.isCodebook()) {
      params[p].table.resize(this->shape.rows << this->shape.prefixes[p]);
      continue;
    }
    params[p].scale.resize(this->shape.rows * this->shape.groups());
    params[p].min.resize(this->shape.rows * this->shape.groups());
  }
}

std::vector<float> pmpd::dequantize(const NestedTensor &tensor, int prefix) {
  const NestedShape &shape = tensor.shape;
  int shift = shape.bits - shape.prefixes[prefix];
  std::vector<float> values(tensor.codes.size());
  for (size_t i = 0; i < values.size(); ++i) {
    if (shape.isCodebook()) {
      size_t first = i / shape.cols << shape.prefixes[prefix];
      values[i] = halfToFloat(
          tensor.params[prefix].table[first + (tensor.codes[i] >> shift)]);
      continue;
    }
    // Groups divide rows, so those of a whole tensor are contiguous.
    size_t group = i / shape.group;
    values[i] = halfToFloat(tensor.params[prefix].scale[group]) *
                    (tensor.codes[i] >> shift) +
                halfToFloat(tensor.params[prefix].min[group]);
  }
  if (shape.rotated)
    Rotation(shape.cols).undo(values.data(), shape.rows);
  return values;
}
