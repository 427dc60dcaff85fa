// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PASSES_LOWERONNX_H
#define PASSES_LOWERONNX_H

#include "dialects/ONNX/ONNX.h"
#include "passes/LinalgTensors.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/StringSet.h"

namespace pmpd {

/// Lowers the graph in one function.
class GraphLowering {
public:
  /// `reported` keeps one report of a node that several functions share.
  GraphLowering(mlir::func::FuncOp func, llvm::StringSet<> &reported)
      : func(func), b(func.getLoc(), func.getContext()), reported(reported) {}

  /// Fails after a report of every node that stands in the way.
  mlir::LogicalResult run();

private:
  using Rule = Operand (GraphLowering::*)(onnx::NodeOp);
  static Rule getRule(onnx::NodeOp node);

  void markNeeded();
  void bindArguments();
  void lower(onnx::NodeOp node);
  void finish();

  /// Reports why `node` cannot be lowered. All such nodes are reported.
  Operand refuse(onnx::NodeOp node, const llvm::Twine &reason);
  /// Input `index` as a tensor; null after a report.
  Operand get(onnx::NodeOp node, unsigned index);
  /// The number in input `index`, if it is a constant of one element.
  std::optional<double> getNumber(onnx::NodeOp node, unsigned index);
  /// Which axes input 1 names; all of them without it.
  std::optional<llvm::SmallVector<bool>> getAxes(onnx::NodeOp node,
                                                 int64_t rank);
  Dims getResultDims(onnx::NodeOp node) {
    return b.getDims(
        mlir::cast<mlir::RankedTensorType>(node.getResult(0).getType()));
  }
  /// LinalgTensors::map of all inputs, or a report.
  Operand mapInputs(onnx::NodeOp node, LinalgTensors::Scalar body);
  Operand map(onnx::NodeOp node, llvm::ArrayRef<Operand> operands,
              llvm::ArrayRef<mlir::AffineExpr> dims,
              LinalgTensors::Scalar body);
  Operand mean(const Operand &operand, llvm::ArrayRef<bool> axes);
  std::string print(llvm::ArrayRef<mlir::AffineExpr> dims) const;

  Operand lowerUnary(onnx::NodeOp node);
  Operand lowerBinary(onnx::NodeOp node);
  Operand lowerVariadic(onnx::NodeOp node);
  Operand lowerPow(onnx::NodeOp node);
  Operand lowerReduce(onnx::NodeOp node);
  Operand lowerSoftmax(onnx::NodeOp node);
  Operand lowerLayerNormalization(onnx::NodeOp node);
  Operand lowerMatMul(onnx::NodeOp node);
  Operand lowerGemm(onnx::NodeOp node);
  Operand lowerTranspose(onnx::NodeOp node);
  Operand lowerReshape(onnx::NodeOp node);
  Operand lowerIdentity(onnx::NodeOp node);
  Operand lowerExpand(onnx::NodeOp node);

  mlir::func::FuncOp func;
  LinalgTensors b;
  llvm::DenseMap<mlir::Value, Operand> values;
  llvm::DenseSet<mlir::Operation *> needed;
  llvm::StringSet<> &reported;
  bool refused = false;
};

} // namespace pmpd

#endif // PASSES_LOWERONNX_H
