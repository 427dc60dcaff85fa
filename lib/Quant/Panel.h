// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_LIB_QUANT_PANEL_H
#define PMPD_LIB_QUANT_PANEL_H

#include "lib/Quant/InputProducts.h"
#include "lib/Quant/Lanes.h"
#include <functional>

namespace pmpd {

/// Up to `Lanes` rows of a weight while their nested codes are sought: what
/// every scheme of values shares. Lanes beyond the rows hold zeros.
class Panel {
public:
  /// group: columns that share a table of values.
  Panel(const PrefixProducts &products, const NestedShape &shape,
        int64_t group);

  /// Takes rows [count, cols] of a weight.
  void load(const float *weights, int64_t count);

  LaneRow *table(int64_t group) { return &tables[group * shape.entries]; }
  uint8_t *codesOf(int64_t col) { return &codes[col * Lanes]; }

  /// Sets the values from tables and codes.
  void dequantize();

  /// Called before the columns that are begin-th to end-1-th in order are
  /// rounded, with their targets at every precision.
  using BeforeBlock = std::function<void(int64_t begin, int64_t end)>;

  /// Gives every column its code in the order of the products, blocks of
  /// columns at a time, each precision making up for its own errors so far.
  void roundWithFeedback(int64_t blockCols, const BeforeBlock &before);

  /// Sets gradient = (values - weights) H.
  void computeGradient();

  /// e H e^T of every row, from the gradient.
  LaneRow loss(int prefix) const;

  /// Makes the errors of the precisions comparable: their weights become
  /// inverse to their losses, times `boost` at 2 bits.
  void balance(float boost);

  /// Gives columns begin .. begin+count-1 better codes, one at a time, without
  /// updating the gradient; what changed is left in `changes`.
  void improveCodes(int64_t begin, int64_t count);

  /// Adds `changes` of these columns to the gradient.
  void applyChanges(int64_t begin, int64_t count);

  TableShape shape;
  int64_t cols, group;
  const PrefixProducts &products;
  /// What each precision aims at: the weights, corrected for its inputs.
  std::array<LaneMatrix, PMPD_MAX_PREFIXES> weights; // [cols]
  std::vector<uint8_t> codes;                        // [cols, Lanes]
  LaneMatrix tables;                                 // [groups, entries]
  std::array<LaneRow, PMPD_MAX_PREFIXES> importance; // of the precisions
  std::array<LaneMatrix, PMPD_MAX_PREFIXES> values, gradient; // [cols]
  std::array<LaneMatrix, PMPD_MAX_PREFIXES> changes; // [columns of a block]

  std::array<LaneMatrix, PMPD_MAX_PREFIXES> targets; // of what is rounded
};

} // namespace pmpd

#endif // PMPD_LIB_QUANT_PANEL_H
