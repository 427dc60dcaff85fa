// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_LIB_QUANT_AFFINEPANEL_H
#define PMPD_LIB_QUANT_AFFINEPANEL_H

#include "lib/Quant/AffineFit.h"
#include "lib/Quant/Panel.h"

namespace pmpd {

/// A panel whose values are affine in the codes, group by group.
class AffinePanel : public Panel {
public:
  AffinePanel(const PrefixProducts &products, const NestedShape &nested);

  /// Takes codes and parameters of rows first .. first+count-1.
  void loadCodes(const NestedTensor &from, int64_t first, int64_t count);
  /// The inverse.
  void storeCodes(NestedTensor &to, int64_t first, int64_t count) const;

  /// Sets the values that codes of group g stand for from its parameters.
  void fillTable(int64_t g);

  /// Gives group g the (scale, min) of each precision that are best for its
  /// codes under the full H with all else as it is: least squares, the min
  /// fitted to the scale as rounded. `changes` must hold what improveCodes()
  /// changed in its columns and gets the rest.
  void refit(int64_t g);

  const NestedShape &nested;
  std::array<std::vector<Affine>, PMPD_MAX_PREFIXES> affine; // [groups, Lanes]

private:
  void refitPrefix(int64_t g, int prefix);
};

} // namespace pmpd

#endif // PMPD_LIB_QUANT_AFFINEPANEL_H
