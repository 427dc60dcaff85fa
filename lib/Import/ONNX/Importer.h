// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef LIB_IMPORT_ONNX_IMPORTER_H
#define LIB_IMPORT_ONNX_IMPORTER_H

#include "dialects/ONNX/Dims.h"
#include "dialects/ONNX/ONNX.h"
#include "lib/Import/ONNX/FileCache.h"
#include "lib/Import/ONNX/Import.h"
#include "lib/Import/ONNX/ModelFile.h"
#include "lib/Import/ONNX/ShapeInference.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"

namespace pmpd::onnx {

/// Imports one model.
class Importer {
public:
  Importer(const ModelFile &file, mlir::MLIRContext *context,
           const ImportOptions &options);

  /// Null after diagnostics.
  mlir::OwningOpRef<mlir::ModuleOp> run();

private:
  /// One value of a graph that is visible to inner graphs too.
  using Scope = llvm::StringMap<mlir::Value>;

  llvm::LogicalResult readOpset();
  llvm::LogicalResult importGraph(const proto::GraphProto &graph,
                                  mlir::ModuleOp module);
  /// The inputs of a graph that have no initializer.
  llvm::LogicalResult importInputs(const proto::GraphProto &graph,
                                   mlir::func::FuncOp function);
  mlir::Type importType(const proto::ValueInfoProto &info);

  /// Initializers and nodes; values are added to the scope.
  llvm::LogicalResult importContents(const proto::GraphProto &graph);
  llvm::LogicalResult importNode(const proto::NodeProto &node);
  llvm::LogicalResult importConstant(const proto::NodeProto &node,
                                     mlir::Location loc);
  llvm::LogicalResult inlineBranch(const proto::NodeProto &node, bool taken,
                                   mlir::Location loc);
  /// What an If node decides on, if that is known.
  std::optional<bool> getCondition(const proto::NodeProto &node);

  /// Brings a node to the form of opset 18 and newer.
  llvm::LogicalResult upgrade(llvm::StringRef opType, mlir::Location loc,
                              llvm::SmallVectorImpl<mlir::Value> &inputs,
                              mlir::NamedAttrList &parameters,
                              unsigned results);
  mlir::Value createIntegers(mlir::Location loc,
                             llvm::ArrayRef<int64_t> values);

  mlir::Attribute importAttribute(const proto::AttributeProto &attribute,
                                  mlir::Location loc);
  /// The value of a tensor: inline if it is small and cannot be a weight.
  mlir::Value importTensor(const proto::TensorProto &tensor,
                           mlir::Location loc);
  /// The elements of a small tensor; null after a diagnostic.
  mlir::DenseElementsAttr importElements(const proto::TensorProto &tensor,
                                         mlir::Location loc);
  mlir::RankedTensorType importTensorType(const proto::TensorProto &tensor,
                                          mlir::Location loc);
  /// The place of the payload of an EXTERNAL tensor of type `type`.
  llvm::FailureOr<Payload> locate(const proto::TensorProto &tensor,
                                  mlir::RankedTensorType type,
                                  mlir::Location loc);

  mlir::Location getLocation(llvm::StringRef name);
  /// An error at `loc`, starting with the node's name if it has one.
  mlir::InFlightDiagnostic emitError(mlir::Location loc);
  mlir::Value find(llvm::StringRef name) const { return scope.lookup(name); }

  const ModelFile &file;
  ImportOptions options;
  mlir::OpBuilder builder;
  DimSymbols symbols;
  ShapeInference shapes;
  FileCache cache;
  Scope scope;
  /// Types that the file claims for values.
  llvm::StringMap<const proto::ValueInfoProto *> claimed;
  int64_t opset = 0;
};

} // namespace pmpd::onnx

#endif // LIB_IMPORT_ONNX_IMPORTER_H
