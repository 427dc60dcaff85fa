// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef LIB_IMPORT_ONNX_IMPORT_H
#define LIB_IMPORT_ONNX_IMPORT_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace pmpd::onnx {

/// Opsets of the default domain that are understood.
inline constexpr int64_t kMinOpset = 11, kMaxOpset = 21;

struct ImportOptions {
  /// Which branch of an If on the graph input `use_cache_branch` is taken: the
  /// one that reads past keys and values, or the one without.
  bool useCacheBranch = true;
};

/// Imports the model at `path` as a module with one function, the graph, in
/// the onnx dialect. Nodes of older opsets are brought to the form of opset 18,
/// which newer ones share.
/// Weights stay in the model's file or in its external data.
///
/// Emits diagnostics with the file and the node, and returns null, if the file
/// cannot be read, is damaged, refers to data that is missing or outside its
/// folder, or has an opset or element type that is not supported.
mlir::OwningOpRef<mlir::ModuleOp> importONNX(llvm::StringRef path,
                                             mlir::MLIRContext *context,
                                             const ImportOptions &options = {});

} // namespace pmpd::onnx

#endif // LIB_IMPORT_ONNX_IMPORT_H
