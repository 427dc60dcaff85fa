// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PASSES_LINALGTENSORS_H
#define PASSES_LINALGTENSORS_H

#include "dialects/ONNX/Dims.h"

#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/Value.h"

namespace pmpd {

using Dims = llvm::SmallVector<mlir::AffineExpr>;

/// An f32 tensor and its dimensions as expressions over symbols.
struct Operand {
  mlir::Value value; ///< Null where an operand could not be computed.
  Dims dims;

  explicit operator bool() const { return static_cast<bool>(value); }
  int64_t rank() const { return dims.size(); }
};

/// Writes linalg and tensor ops on f32 tensors whose sizes are known as
/// expressions over symbols.
class LinalgTensors : public mlir::ImplicitLocOpBuilder {
public:
  using Scalar = llvm::function_ref<mlir::Value(mlir::ValueRange)>;
  enum class Reduction { Sum, Max, Min };

  LinalgTensors(mlir::Location loc, mlir::MLIRContext *context)
      : ImplicitLocOpBuilder(loc, context), symbols(context) {}

  /// `tensor` with the dimensions of `type`. Symbols that are not known yet
  /// become its sizes; call it where `tensor` is defined.
  Operand bind(mlir::Value tensor, mlir::RankedTensorType type);
  Dims getDims(mlir::RankedTensorType type) { return symbols.getShape(type); }
  std::string print(mlir::AffineExpr dim) const { return symbols.print(dim); }

  /// Whether every symbol of `dims` is the size of a bound tensor.
  bool areKnown(llvm::ArrayRef<mlir::AffineExpr> dims) const;
  mlir::RankedTensorType getType(llvm::ArrayRef<mlir::AffineExpr> dims);
  mlir::Value constant(double value);
  /// The number of elements of `dims` as f32.
  mlir::Value count(llvm::ArrayRef<mlir::AffineExpr> dims);

  /// The element of each operand under the broadcasting rules of ONNX, combined
  /// by `body`. Null if an operand does not broadcast to `dims`.
  Operand map(llvm::ArrayRef<Operand> operands,
              llvm::ArrayRef<mlir::AffineExpr> dims, Scalar body);
  /// Reduces the marked axes, which are dropped.
  Operand reduce(const Operand &operand, llvm::ArrayRef<bool> axes,
                 Reduction kind);
  /// The same, with the axes kept as dimensions of one.
  Operand reduceKeeping(const Operand &operand, llvm::ArrayRef<bool> axes,
                        Reduction kind);
  /// Null if the numbers of elements cannot be seen to be equal.
  Operand reshape(const Operand &operand,
                  llvm::ArrayRef<mlir::AffineExpr> dims);
  Operand transpose(const Operand &operand, llvm::ArrayRef<int64_t> order);
  /// Matrix product of the last two axes; the others broadcast to those of
  /// `dims`. Null if they do not, or the matrices do not fit.
  Operand multiply(const Operand &left, const Operand &right,
                   llvm::ArrayRef<mlir::AffineExpr> dims);

private:
  mlir::Value size(mlir::AffineExpr dim);
  llvm::SmallVector<mlir::OpFoldResult>
  sizes(llvm::ArrayRef<mlir::AffineExpr> dims);
  mlir::Value empty(llvm::ArrayRef<mlir::AffineExpr> dims);
  mlir::Value filled(llvm::ArrayRef<mlir::AffineExpr> dims, double value);
  /// The place in an operand's axis for loop `loop` over `dim`; null if `axis`
  /// is neither one nor `dim`.
  mlir::AffineExpr place(mlir::AffineExpr axis, mlir::AffineExpr dim,
                         unsigned loop);

  onnx::DimSymbols symbols;
  llvm::DenseMap<mlir::AffineExpr, mlir::Value> known; // symbol -> size
};

} // namespace pmpd

#endif // PASSES_LINALGTENSORS_H
