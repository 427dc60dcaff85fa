// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The inner loops of the quantizers that work against the products of the
// inputs. Rows of a weight do not depend on one another, so a panel of them is
// stored column by column and each row is a lane: nothing is ever summed over
// lanes, and a row's result does not depend on its panel, the number of threads
// or the CPU's vectors.
#ifndef PMPD_LIB_QUANT_LANES_H
#define PMPD_LIB_QUANT_LANES_H

#include "pmpd/artifact.h"
#include "pmpd/layout.h"
#include <array>
#include <cstdint>
#include <vector>

namespace pmpd {

constexpr int Lanes = 64;

/// One number of every row of a panel.
struct alignas(64) LaneRow {
  std::array<float, Lanes> lane;
  float &operator[](int i) { return lane[i]; }
  float operator[](int i) const { return lane[i]; }
};
using LaneMatrix = std::vector<LaneRow>; // [cols]

/// out[i] += sum over k < depth of matrix[i * stride + k] * in[k], for i <
/// count.
void multiplyAdd(const float *matrix, int64_t stride, int64_t count,
                 int64_t depth, const LaneRow *in, LaneRow *out);

/// Values that the codes of a column stand for at every readable precision:
/// [2^prefix] rows for each prefix, one behind the other.
using ValueTable = const LaneRow *;

/// Where the values of each prefix begin in a ValueTable.
struct TableShape {
  TableShape(int bits, const std::vector<int> &prefixes);
  int bits;
  int prefixes; /// their number
  std::array<int, PMPD_MAX_PREFIXES> shift{};
  std::array<int, PMPD_MAX_PREFIXES> begin{};
  int entries; /// rows of a table
};

/// Columns to round one after the other, each seeing the errors of those before
/// it. All pointers are per prefix where the type says so.
struct ColumnBlock {
  int64_t count;
  std::array<const float *, PMPD_MAX_PREFIXES>
      feedback; /// [count, stride], below the diagonal
  int64_t stride;
  const ValueTable *tables;                               /// [count]
  std::array<const float *, PMPD_MAX_PREFIXES> curvature; /// [count]
  std::array<LaneRow, PMPD_MAX_PREFIXES> weight;   /// of the prefixes' errors
  std::array<LaneRow *, PMPD_MAX_PREFIXES> target; /// [count], is used up
  std::array<LaneRow *, PMPD_MAX_PREFIXES> value;  /// [count], out
  std::array<LaneRow *, PMPD_MAX_PREFIXES> change; /// [count]; in: reference
  uint8_t *codes;                                  /// [count, Lanes], out
};

/// For column j in turn:
///   code = argmin_c sum_p weight_p curvature_p[j]
///                         (table_p[c >> shift_p] - target_p[j])^2
///   value_p[j] = table_p[code >> shift_p]
///   change_p[j] = value_p[j] - reference_p[j]
///   target_p[k] += feedback_p[k, j] change_p[j] for all k > j
void roundColumns(const TableShape &shape, ColumnBlock &block);

} // namespace pmpd

#endif // PMPD_LIB_QUANT_LANES_H
