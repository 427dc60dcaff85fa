// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PASSES_WEIGHTACTION_H
#define PASSES_WEIGHTACTION_H

#include "mlir/IR/Action.h"
#include "mlir/IR/Unit.h"

namespace pmpd {

/// A pass works on one weight of several. Whoever runs the pass may watch by
/// registering a handler of actions with the context.
class WeightAction : public mlir::tracing::ActionImpl<WeightAction> {
public:
  using Base = mlir::tracing::ActionImpl<WeightAction>;
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(WeightAction)

  WeightAction(llvm::ArrayRef<mlir::IRUnit> units, size_t index, size_t count)
      : Base(units), index(index), count(count) {}
  static constexpr llvm::StringLiteral tag = "pmpd-weight";

  size_t getIndex() const { return index; }
  size_t getCount() const { return count; }

private:
  size_t index, count;
};

} // namespace pmpd

#endif // PASSES_WEIGHTACTION_H
