// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Import/ONNX/Elements.h"
#include "lib/Import/ONNX/Importer.h"

using namespace mlir;
using namespace pmpd::onnx;

RankedTensorType Importer::importTensorType(const proto::TensorProto &tensor,
                                            Location loc) {
  Type elementType = ::getElementType(tensor.data_type(), builder.getContext());
  if (!elementType) {
    emitError(loc) << "expected tensor '" << tensor.name()
                   << "' to be of float, double, float16, bfloat16, int8, "
                      "uint8, int32, int64 or bool, but got ONNX type "
                   << tensor.data_type();
    return {};
  }
  SmallVector<int64_t> shape(tensor.dims().begin(), tensor.dims().end());
  constexpr int64_t most = int64_t(1) << 40;
  if (llvm::any_of(shape, [](int64_t size) { return size < 0; }) ||
      countElements(shape) > most) {
    emitError(loc) << "expected tensor '" << tensor.name()
                   << "' to have a shape of at most 2^40 elements, but got ["
                   << shape << "]";
    return {};
  }
  return RankedTensorType::get(shape, elementType);
}

FailureOr<Payload> Importer::locate(const proto::TensorProto &tensor,
                                    RankedTensorType type, Location loc) {
  llvm::Expected<Payload> payload = file.locate(tensor);
  if (!payload)
    return emitError(loc) << "tensor '" << tensor.name()
                          << "': " << llvm::toString(payload.takeError());
  int64_t expected =
      type.getNumElements() * getElementBytes(type.getElementType());
  if (payload->length != expected)
    return emitError(loc) << "expected " << expected << " bytes for tensor '"
                          << tensor.name() << "' of type " << type
                          << ", but got " << payload->length;
  return std::move(*payload);
}

/// Elements that are neither a payload nor external: lists of numbers.
static std::optional<Tensor> readLists(const proto::TensorProto &tensor,
                                       RankedTensorType type) {
  Type elementType = type.getElementType();
  int64_t count = type.getNumElements();
  Tensor result;
  result.shape.assign(type.getShape().begin(), type.getShape().end());
  auto take = [&](const auto &list, auto elements) {
    elements.assign(list.begin(), list.end());
    result.elements = std::move(elements);
    return static_cast<int64_t>(list.size()) == count;
  };
  bool complete;
  if (elementType.isF32()) {
    complete = take(tensor.float_data(), Tensor::Reals());
  } else if (elementType.isF64()) {
    complete = take(tensor.double_data(), Tensor::Reals());
  } else if (elementType.isInteger(64)) {
    complete = take(tensor.int64_data(), Tensor::Integers());
  } else if (isa<FloatType>(elementType)) {
    // Half types are kept as their bits.
    Tensor::Reals values;
    for (int32_t bits : tensor.int32_data())
      values.push_back(decodeFloat(static_cast<uint16_t>(bits), elementType));
    complete = take(values, Tensor::Reals());
  } else {
    complete = take(tensor.int32_data(), Tensor::Integers());
  }
  if (!complete)
    return std::nullopt;
  return result;
}

DenseElementsAttr Importer::importElements(const proto::TensorProto &tensor,
                                           Location loc) {
  RankedTensorType type = importTensorType(tensor, loc);
  if (!type)
    return {};
  if (type.getNumElements() > ConstantOp::maxElements) {
    emitError(loc) << "expected at most " << ConstantOp::maxElements
                   << " elements without raw_data in tensor '" << tensor.name()
                   << "', but got " << type.getNumElements()
                   << "; save the model with raw_data";
    return {};
  }
  if (tensor.data_location() != proto::TensorProto::EXTERNAL) {
    std::optional<Tensor> elements = readLists(tensor, type);
    if (elements)
      return toAttribute(*elements, type);
    emitError(loc) << "expected " << type.getNumElements()
                   << " elements in tensor '" << tensor.name()
                   << "', but got another number";
    return {};
  }
  FailureOr<Payload> payload = locate(tensor, type, loc);
  if (failed(payload))
    return {};
  llvm::Expected<StringRef> bytes = cache.map(payload->file);
  if (!bytes) {
    emitError(loc) << llvm::toString(bytes.takeError());
    return {};
  }
  // The file may have changed since it was measured.
  if (bytes->size() < size_t(payload->offset + payload->length)) {
    emitError(loc) << payload->file << " is shorter than when it was opened";
    return {};
  }
  return toAttribute(
      readElements(bytes->substr(payload->offset, payload->length), type),
      type);
}

Value Importer::importTensor(const proto::TensorProto &tensor, Location loc) {
  RankedTensorType type = importTensorType(tensor, loc);
  if (!type)
    return {};
  // Several floats or bytes may be a weight or part of one, which stays
  // outside.
  bool mayBeWeight = (isa<FloatType>(type.getElementType()) ||
                      type.getElementType().isUnsignedInteger(8)) &&
                     type.getRank() > 0 && type.getNumElements() > 1;
  if (tensor.data_location() != proto::TensorProto::EXTERNAL ||
      (!mayBeWeight && type.getNumElements() <= ConstantOp::maxElements)) {
    DenseElementsAttr elements = importElements(tensor, loc);
    return elements ? ConstantOp::create(builder, loc, elements).getResult()
                    : Value();
  }
  FailureOr<Payload> payload = locate(tensor, type, loc);
  if (failed(payload))
    return {};
  return InitializerOp::create(builder, loc, type, tensor.name(), payload->file,
                               payload->offset);
}

Attribute Importer::importAttribute(const proto::AttributeProto &attribute,
                                    Location loc) {
  switch (attribute.type()) {
  case proto::AttributeProto::FLOAT:
    return builder.getF32FloatAttr(attribute.f());
  case proto::AttributeProto::INT:
    return builder.getI64IntegerAttr(attribute.i());
  case proto::AttributeProto::STRING:
    return builder.getStringAttr(attribute.s());
  case proto::AttributeProto::TENSOR:
    return importElements(attribute.t(), loc);
  case proto::AttributeProto::FLOATS:
    return builder.getDenseF32ArrayAttr(SmallVector<float>(
        attribute.floats().begin(), attribute.floats().end()));
  case proto::AttributeProto::INTS:
    return builder.getDenseI64ArrayAttr(
        SmallVector<int64_t>(attribute.ints().begin(), attribute.ints().end()));
  case proto::AttributeProto::STRINGS: {
    SmallVector<StringRef> strings;
    for (const std::string &string : attribute.strings())
      strings.push_back(string);
    return builder.getStrArrayAttr(strings);
  }
  default:
    emitError(loc) << "expected attribute '" << attribute.name()
                   << "' to be a number, string or tensor, or a list of "
                      "numbers or strings, but got ONNX kind "
                   << static_cast<int>(attribute.type());
    return {};
  }
}
