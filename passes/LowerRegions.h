// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_PASSES_LOWERREGIONS_H
#define PMPD_PASSES_LOWERREGIONS_H

#include "lib/Codegen/CpuKernels.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"

namespace pmpd {

/// The cache of one layer of `model`.
codegen::CacheShape cacheOf(ModelOp model);

/// Gives the function of `classifier` elementary functions, and where the cache
/// is f16 a kernel that widens it. Classifiers run on the CPU.
mlir::LogicalResult lowerClassifier(ClassifierOp classifier, ModelOp model,
                                    codegen::CpuKernels &kernels);

/// Lowers the regions of one model to launches of a target's kernels.
class RegionLowering {
public:
  RegionLowering(ModelOp model, codegen::KernelLibrary &kernels)
      : model(model), kernels(kernels) {}

  /// Replaces every op of `region`; a region that was lowered before is left as
  /// it is.
  mlir::LogicalResult lower(RegionOp region);

private:
  mlir::LogicalResult lower(mlir::Operation *op);
  mlir::LogicalResult lowerLinear(LinearOp op);
  void lowerAttention(AttentionOp op);
  void launch(mlir::Operation *op, codegen::Kernel kernel,
              llvm::ArrayRef<AddressAttr> addresses);

  AddressAttr at(Space space, int64_t offset, int64_t skip = 0) {
    return AddressAttr::get(model->getContext(), space, offset, skip);
  }
  /// The place of a weight or table, or a diagnostic on `op`.
  mlir::FailureOr<AddressAttr> placeOf(mlir::Operation *op,
                                       mlir::FlatSymbolRefAttr name);
  mlir::Type elementOf(mlir::FlatSymbolRefAttr name) {
    auto weight = model.lookupSymbol<WeightOp>(name.getAttr());
    return mlir::cast<mlir::RankedTensorType>(weight.getType())
        .getElementType();
  }
  AddressAttr cacheAt(int64_t layer) {
    return at(Space::KV, 2 * layer * model.getKVPlaneBytes());
  }

  ModelOp model;
  codegen::KernelLibrary &kernels;
  llvm::DenseMap<mlir::Value, AddressAttr> places;
  llvm::DenseSet<mlir::Value> logitRows; // values that hold only those rows
  int64_t maxRows = 1;                   // of the region
  int64_t planned = 0;      // bytes of scratch memory that values have
  int64_t partialBytes = 0; // behind them, for partial results
  int64_t weightBytes = 0;
};

} // namespace pmpd

#endif // PMPD_PASSES_LOWERREGIONS_H
