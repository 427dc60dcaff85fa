// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef LIB_IMPORT_ONNX_EVALUATOR_H
#define LIB_IMPORT_ONNX_EVALUATOR_H

#include "dialects/ONNX/Dims.h"
#include "dialects/ONNX/ONNX.h"
#include "lib/Import/ONNX/FileCache.h"
#include "lib/Import/ONNX/Tensor.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/Support/Error.h"

namespace pmpd::onnx {

/// Computes values of a graph for given sizes of its symbols: those that depend
/// on constants, shapes and the given inputs only. Floats are computed as
/// doubles and casts between float types do not round, so a table that the
/// graph keeps in half precision comes out exact.
class Evaluator {
public:
  /// `dims`: sizes of the symbols of `symbols`, by name. `inputs`: contents of
  /// graph inputs.
  Evaluator(FileCache &files, DimSymbols &symbols,
            llvm::StringMap<int64_t> dims,
            llvm::DenseMap<mlir::Value, Tensor> inputs)
      : files(files), symbols(symbols), dims(std::move(dims)),
        known(std::move(inputs)) {}

  /// The contents of `value`, valid until the next call. Fails with the node
  /// and the reason if it cannot be computed.
  llvm::Expected<const Tensor *> evaluate(mlir::Value value);

  /// Most elements of a value; more is an error rather than an exhausted
  /// machine.
  static constexpr int64_t maxElements = int64_t(1) << 26;

private:
  llvm::Error compute(mlir::Operation *op);
  llvm::Expected<Tensor> computeShape(NodeOp node);

  FileCache &files;
  DimSymbols &symbols;
  llvm::StringMap<int64_t> dims;
  llvm::DenseMap<mlir::Value, Tensor> known;
};

/// Whether results of `node` depend on the types of its inputs only.
bool readsOnlyTypes(NodeOp node);

/// Whether the evaluator has the operator of a node.
bool isEvaluable(NodeOp node);

/// What an operator computes from concrete inputs; absent ones are null.
struct Operands {
  mutable NodeOp node; // a handle whose accessors are not const
  llvm::ArrayRef<const Tensor *> inputs;

  /// Input `index`, or null if it is absent.
  const Tensor *get(unsigned index) const {
    return index < inputs.size() ? inputs[index] : nullptr;
  }
  /// The elements of integer input `index`; none if it is absent.
  std::optional<llvm::ArrayRef<int64_t>> getIntegers(unsigned index) const;
};
using Results = llvm::SmallVector<Tensor, 1>;
/// Empty results mean that the inputs do not fit the operator.
using Operator = std::function<Results(const Operands &)>;
using OperatorTable = llvm::StringMap<Operator>;

void addStructuralOperators(OperatorTable &table);
void addArithmeticOperators(OperatorTable &table);
void addReductionOperators(OperatorTable &table);

} // namespace pmpd::onnx

#endif // LIB_IMPORT_ONNX_EVALUATOR_H
