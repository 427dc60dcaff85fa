// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef DIALECTS_ONNX_DIMS_H
#define DIALECTS_ONNX_DIMS_H

#include "mlir/IR/AffineExpr.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringMap.h"

namespace pmpd::onnx {

/// Dimensions as affine expressions over named symbols. Names are numbered in
/// the order in which they are first seen, so expressions of different objects
/// of this class must not be mixed.
class DimSymbols {
public:
  explicit DimSymbols(mlir::MLIRContext *context) : context(context) {}

  mlir::MLIRContext *getContext() const { return context; }
  mlir::AffineExpr getConstant(int64_t value) const;
  mlir::AffineExpr getSymbol(llvm::StringRef name);
  /// A symbol that no other dimension is known to be equal to.
  mlir::AffineExpr createSymbol();

  /// Reads an expression; null if it cannot be read.
  mlir::AffineExpr parse(llvm::StringRef text);
  std::string print(mlir::AffineExpr expr) const;

  /// The canonical form, in which equal sums are the same object.
  mlir::AffineExpr simplify(mlir::AffineExpr expr) const;

  /// The dimensions of `type`; new symbols for those without an expression.
  llvm::SmallVector<mlir::AffineExpr> getShape(mlir::RankedTensorType type);
  /// The tensor type of these dimensions; an encoding only if one is dynamic.
  mlir::RankedTensorType getType(llvm::ArrayRef<mlir::AffineExpr> shape,
                                 mlir::Type elementType) const;

  /// The value of `expr` with `values` for the symbols of these names; none if
  /// a symbol has no value or a divisor is not positive.
  std::optional<int64_t> evaluate(mlir::AffineExpr expr,
                                  const llvm::StringMap<int64_t> &values) const;

private:
  mlir::MLIRContext *context;
  llvm::SmallVector<std::string> names;
  llvm::StringMap<unsigned> indices;
  unsigned created = 0;
};

} // namespace pmpd::onnx

#endif // DIALECTS_ONNX_DIMS_H
