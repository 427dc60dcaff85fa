// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef LIB_IMPORT_ONNX_ELEMENTS_H
#define LIB_IMPORT_ONNX_ELEMENTS_H

#include "lib/Import/ONNX/Tensor.h"
#include "mlir/IR/BuiltinAttributes.h"

namespace pmpd::onnx {

/// The MLIR type of an ONNX element type (TensorProto.DataType); null for one
/// that is not supported.
mlir::Type getElementType(int32_t onnxType, mlir::MLIRContext *context);

/// Bytes of a stored element.
int64_t getElementBytes(mlir::Type elementType);

/// Reads little-endian elements; `bytes` has to hold those of `type`.
Tensor readElements(llvm::StringRef bytes, mlir::RankedTensorType type);

/// `bits` of a stored element of `elementType`, a float, as a number.
double decodeFloat(uint64_t bits, mlir::Type elementType);

Tensor toTensor(mlir::ElementsAttr attribute);
/// Integers are truncated and floats are rounded to the element type.
mlir::DenseElementsAttr toAttribute(const Tensor &tensor,
                                    mlir::RankedTensorType type);

} // namespace pmpd::onnx

#endif // LIB_IMPORT_ONNX_ELEMENTS_H
