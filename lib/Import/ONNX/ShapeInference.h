// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef LIB_IMPORT_ONNX_SHAPEINFERENCE_H
#define LIB_IMPORT_ONNX_SHAPEINFERENCE_H

#include "dialects/ONNX/Dims.h"
#include "dialects/ONNX/ONNX.h"
#include "lib/Import/ONNX/Tensor.h"
#include "llvm/ADT/DenseMap.h"

namespace pmpd::onnx {

using SymbolicShape = llvm::SmallVector<mlir::AffineExpr, 4>;

/// The elements of a small integer tensor as expressions.
struct SymbolicTensor {
  Shape shape;
  std::vector<mlir::AffineExpr> elements;
};

/// Finds the types of nodes in the order of a graph, with dimensions as
/// expressions over the symbols of its inputs. Integer tensors that describe
/// shapes are followed element by element.
class ShapeInference {
public:
  explicit ShapeInference(DimSymbols &symbols) : symbols(symbols) {}

  /// Sets the types of the results of `node`, whose inputs have theirs.
  /// What cannot be found becomes an unranked tensor.
  void infer(NodeOp node);

private:
  using Shapes = llvm::SmallVector<SymbolicShape, 1>;
  using Rule = std::optional<Shapes> (ShapeInference::*)(NodeOp);

  static Rule getRule(llvm::StringRef opType);
  /// Of the operators of ONNX Runtime's own domain.
  static Rule getFusedRule(llvm::StringRef opType);
  mlir::Type inferElementType(NodeOp node);

  std::optional<SymbolicShape> getShape(NodeOp node, unsigned input);
  /// The elements of input `index`, if they are known.
  const SymbolicTensor *getElements(NodeOp node, unsigned index);
  /// The same, if all of them are constants.
  std::optional<Shape> getConstants(NodeOp node, unsigned index);

  mlir::AffineExpr multiply(llvm::ArrayRef<mlir::AffineExpr> dims);
  /// The exact quotient of two products; null if it is not known.
  mlir::AffineExpr divide(SymbolicShape dividend,
                          llvm::ArrayRef<mlir::AffineExpr> divisor);
  mlir::AffineExpr ceilDivide(mlir::AffineExpr dividend, int64_t divisor);
  SymbolicShape broadcast(const SymbolicShape &left,
                          const SymbolicShape &right);

  std::optional<Shapes> inferSame(NodeOp node);
  std::optional<Shapes> inferBroadcast(NodeOp node);
  std::optional<Shapes> inferConcat(NodeOp node);
  std::optional<Shapes> inferFromShapeInput(NodeOp node);
  std::optional<Shapes> inferExpand(NodeOp node);
  std::optional<Shapes> inferFlatten(NodeOp node);
  std::optional<Shapes> inferGather(NodeOp node);
  std::optional<Shapes> inferGatherElements(NodeOp node);
  std::optional<Shapes> inferGatherND(NodeOp node);
  std::optional<Shapes> inferGemm(NodeOp node);
  std::optional<Shapes> inferGroupQueryAttention(NodeOp node);
  std::optional<Shapes> inferMatMul(NodeOp node);
  std::optional<Shapes> inferMatMulNBits(NodeOp node);
  std::optional<Shapes> inferRange(NodeOp node);
  std::optional<Shapes> inferReduce(NodeOp node);
  std::optional<Shapes> inferReshape(NodeOp node);
  std::optional<Shapes> inferShape(NodeOp node);
  std::optional<Shapes> inferSize(NodeOp node);
  std::optional<Shapes> inferSkipNormalization(NodeOp node);
  std::optional<Shapes> inferSlice(NodeOp node);
  std::optional<Shapes> inferSplit(NodeOp node);
  std::optional<Shapes> inferSqueeze(NodeOp node);
  std::optional<Shapes> inferTile(NodeOp node);
  std::optional<Shapes> inferTranspose(NodeOp node);
  std::optional<Shapes> inferUnsqueeze(NodeOp node);

  /// The elements of the only result of `node`, if they can be followed.
  std::optional<SymbolicTensor> inferElements(NodeOp node);
  std::optional<SymbolicTensor> combineElements(NodeOp node);
  std::optional<SymbolicTensor> chooseElements(NodeOp node);
  std::optional<SymbolicTensor> joinElements(NodeOp node);
  std::optional<bool> isEqual(mlir::AffineExpr left, mlir::AffineExpr right);

  DimSymbols &symbols;
  llvm::DenseMap<mlir::Value, SymbolicTensor> elements;
};

} // namespace pmpd::onnx

#endif // LIB_IMPORT_ONNX_SHAPEINFERENCE_H
