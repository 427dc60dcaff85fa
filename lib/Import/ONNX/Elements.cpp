// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Import/ONNX/Elements.h"

#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/APFloat.h"
#include "llvm/Support/Endian.h"

using namespace mlir;
using namespace pmpd::onnx;

Type pmpd::onnx::getElementType(int32_t onnxType, MLIRContext *context) {
  switch (onnxType) {
  case 1:
    return Float32Type::get(context);
  case 2:
    return IntegerType::get(context, 8, IntegerType::Unsigned);
  case 3:
    return IntegerType::get(context, 8);
  case 6:
    return IntegerType::get(context, 32);
  case 7:
    return IntegerType::get(context, 64);
  case 9:
    return IntegerType::get(context, 1);
  case 10:
    return Float16Type::get(context);
  case 11:
    return Float64Type::get(context);
  case 16:
    return BFloat16Type::get(context);
  default:
    return {};
  }
}

int64_t pmpd::onnx::getElementBytes(Type elementType) {
  return (elementType.getIntOrFloatBitWidth() + 7) / 8;
}

double pmpd::onnx::decodeFloat(uint64_t bits, Type elementType) {
  auto type = cast<FloatType>(elementType);
  llvm::APFloat value(type.getFloatSemantics(),
                      llvm::APInt(type.getWidth(), bits, /*isSigned=*/false,
                                  /*implicitTrunc=*/true));
  bool lossy;
  value.convert(llvm::APFloat::IEEEdouble(), llvm::APFloat::rmNearestTiesToEven,
                &lossy);
  return value.convertToDouble();
}

Tensor pmpd::onnx::readElements(StringRef bytes, RankedTensorType type) {
  Tensor tensor;
  tensor.shape.assign(type.getShape().begin(), type.getShape().end());
  Type elementType = type.getElementType();
  int64_t width = getElementBytes(elementType), count = type.getNumElements();
  auto readBits = [&](int64_t i) {
    uint64_t bits = 0;
    memcpy(&bits, bytes.data() + i * width, width);
    return llvm::support::endian::byte_swap<uint64_t>(bits,
                                                      llvm::endianness::little);
  };
  if (isa<FloatType>(elementType)) {
    Tensor::Reals reals(count);
    for (int64_t i = 0; i < count; ++i)
      reals[i] = decodeFloat(readBits(i), elementType);
    tensor.elements = std::move(reals);
    return tensor;
  }
  Tensor::Integers integers(count);
  for (int64_t i = 0; i < count; ++i) {
    uint64_t bits = readBits(i);
    if (elementType.isInteger(1))
      integers[i] = bits != 0;
    else if (elementType.isUnsignedInteger())
      integers[i] = bits;
    else
      integers[i] = llvm::SignExtend64(bits, width * 8);
  }
  tensor.elements = std::move(integers);
  return tensor;
}

Tensor pmpd::onnx::toTensor(ElementsAttr attribute) {
  Tensor tensor;
  auto dense = cast<DenseElementsAttr>(attribute);
  tensor.shape.assign(dense.getType().getShape().begin(),
                      dense.getType().getShape().end());
  if (isa<FloatType>(dense.getElementType())) {
    Tensor::Reals reals;
    for (llvm::APFloat value : dense.getValues<llvm::APFloat>()) {
      bool lossy;
      value.convert(llvm::APFloat::IEEEdouble(),
                    llvm::APFloat::rmNearestTiesToEven, &lossy);
      reals.push_back(value.convertToDouble());
    }
    tensor.elements = std::move(reals);
    return tensor;
  }
  bool isSigned = !dense.getElementType().isUnsignedInteger() &&
                  !dense.getElementType().isInteger(1);
  Tensor::Integers integers;
  for (const llvm::APInt &value : dense.getValues<llvm::APInt>())
    integers.push_back(isSigned ? value.getSExtValue() : value.getZExtValue());
  tensor.elements = std::move(integers);
  return tensor;
}

DenseElementsAttr pmpd::onnx::toAttribute(const Tensor &tensor,
                                          RankedTensorType type) {
  if (auto floatType = dyn_cast<FloatType>(type.getElementType())) {
    SmallVector<llvm::APFloat> values;
    for (int64_t i = 0, e = tensor.size(); i < e; ++i) {
      llvm::APFloat value(tensor.at(i));
      bool lossy;
      value.convert(floatType.getFloatSemantics(),
                    llvm::APFloat::rmNearestTiesToEven, &lossy);
      values.push_back(value);
    }
    return DenseElementsAttr::get(type, values);
  }
  SmallVector<llvm::APInt> values;
  unsigned width = type.getElementTypeBitWidth();
  for (int64_t value : tensor.integers())
    values.emplace_back(width, value, /*isSigned=*/true,
                        /*implicitTrunc=*/true);
  return DenseElementsAttr::get(type, values);
}
