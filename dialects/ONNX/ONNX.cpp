// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/ONNX/ONNX.h"

#include "dialects/ONNX/Dims.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/ADT/TypeSwitch.h"

#include "dialects/ONNX/ONNXDialect.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "dialects/ONNX/ONNXAttrs.cpp.inc"
#define GET_OP_CLASSES
#include "dialects/ONNX/ONNXOps.cpp.inc"

using namespace mlir;
using namespace pmpd::onnx;

void ONNXDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/ONNX/ONNXAttrs.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialects/ONNX/ONNXOps.cpp.inc"
      >();
}

LogicalResult ONNXDialect::verifyOperationAttribute(Operation *op,
                                                    NamedAttribute attribute) {
  if (attribute.getName() == kOpsetAttr) {
    if (!isa<ModuleOp>(op) || !isa<IntegerAttr>(attribute.getValue()))
      return op->emitOpError("expected ")
             << kOpsetAttr << " to be an integer of a module, but got "
             << attribute.getValue();
    return success();
  }
  if (attribute.getName() == kFileAttr) {
    if (!isa<ModuleOp>(op) || !isa<StringAttr>(attribute.getValue()))
      return op->emitOpError("expected ")
             << kFileAttr << " to be a string of a module, but got "
             << attribute.getValue();
    return success();
  }
  return op->emitOpError("expected no attribute named ") << attribute.getName();
}

static LogicalResult verifyName(Operation *op, NamedAttribute attribute) {
  if (attribute.getName() != kNameAttr ||
      !isa<StringAttr>(attribute.getValue()))
    return op->emitOpError("expected ")
           << kNameAttr << " to be a string, but got " << attribute.getName()
           << " = " << attribute.getValue();
  return success();
}

LogicalResult ONNXDialect::verifyRegionArgAttribute(Operation *op,
                                                    unsigned region,
                                                    unsigned argument,
                                                    NamedAttribute attribute) {
  return verifyName(op, attribute);
}

LogicalResult ONNXDialect::verifyRegionResultAttribute(
    Operation *op, unsigned region, unsigned result, NamedAttribute attribute) {
  return verifyName(op, attribute);
}

LogicalResult DimsAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                               ArrayRef<StringAttr> exprs) {
  for (StringAttr expr : exprs)
    if (!DimSymbols(expr.getContext()).parse(expr.getValue())) // C1
      return emitError()
             << "expected an expression of names, integers, +, -, *, floordiv, "
                "ceildiv and mod, but got "
             << expr;
  return success();
}

LogicalResult
DimsAttr::verifyEncoding(ArrayRef<int64_t> shape, Type elementType,
                         function_ref<InFlightDiagnostic()> emitError) const {
  if (shape.size() != getExprs().size()) // C2
    return emitError() << "expected " << shape.size()
                       << " dimensions in the encoding, but got "
                       << getExprs().size();
  DimSymbols symbols(getContext());
  for (auto [size, text] : llvm::zip(shape, getExprs())) {
    auto constant =
        dyn_cast<AffineConstantExpr>(symbols.parse(text.getValue()));
    int64_t expected = constant ? constant.getValue() : ShapedType::kDynamic;
    if (size != expected) // C3
      return emitError() << "expected the dimension " << text
                         << " to be that of the shape, "
                         << (ShapedType::isDynamic(size)
                                 ? std::string("?")
                                 : std::to_string(size));
  }
  return success();
}

/// Leading inputs that must not be left out, in the form of opset 18.
static unsigned getNeededInputs(StringRef opType) {
  return llvm::StringSwitch<unsigned>(opType)
      .Cases({"Range", "ScatterElements", "ScatterND", "Slice", "Where"}, 3)
      .Cases({"Add",
              "And",
              "CastLike",
              "CumSum",
              "Div",
              "Equal",
              "Expand",
              "Gather",
              "GatherElements",
              "GatherND",
              "Gemm",
              "Greater",
              "GreaterOrEqual",
              "LayerNormalization",
              "Less",
              "LessOrEqual",
              "MatMul",
              "Mod",
              "Mul",
              "Or",
              "Pow",
              "Reshape",
              "Sub",
              "Tile",
              "Unsqueeze",
              "Xor"},
             2)
      .Cases({"Constant", "RandomNormal", "RandomUniform"}, 0)
      .Default(1);
}

/// The same of operators of ONNX Runtime that raising knows.
static unsigned getNeededFusedInputs(StringRef opType) {
  return llvm::StringSwitch<unsigned>(opType)
      .Case("RotaryEmbedding", 4)
      .Cases({"MatMulNBits", "SkipLayerNormalization",
              "SkipSimplifiedLayerNormalization"},
             3)
      .Cases({"BiasGelu", "FusedMatMul", "SimplifiedLayerNormalization"}, 2)
      .Cases({"FastGelu", "Gelu", "GroupQueryAttention", "QuickGelu"}, 1)
      .Default(0);
}

bool NodeOp::isFused() {
  return getDomain() == kRuntimeDomain ||
         (getDomain().empty() && getOpType() == "SimplifiedLayerNormalization");
}

LogicalResult NodeOp::verify() {
  if (getOpType().empty()) // C1
    return emitOpError("expected an operator, but op_type is empty");
  if (getNumResults() == 0) // C2
    return emitOpError("expected at least one result");
  unsigned needed = isFused()             ? getNeededFusedInputs(getOpType())
                    : getDomain().empty() ? getNeededInputs(getOpType())
                                          : 0;
  for (unsigned i = 0; i < needed; ++i)
    if (!getInput(i)) // C3
      return emitOpError("expected ")
             << getOpType() << " node '" << getNodeName() << "' to have "
             << needed << " inputs, but number " << i << " is left out";
  return success();
}

int64_t NodeOp::getInt(StringRef name, int64_t fallback) {
  auto attribute = dyn_cast_or_null<IntegerAttr>(getParameter(name));
  return attribute ? attribute.getInt() : fallback;
}

double NodeOp::getFloat(StringRef name, double fallback) {
  auto attribute = dyn_cast_or_null<FloatAttr>(getParameter(name));
  return attribute ? attribute.getValueAsDouble() : fallback;
}

StringRef NodeOp::getString(StringRef name, StringRef fallback) {
  auto attribute = dyn_cast_or_null<StringAttr>(getParameter(name));
  return attribute ? attribute.getValue() : fallback;
}

std::optional<SmallVector<int64_t>> NodeOp::getInts(StringRef name) {
  auto attribute = dyn_cast_or_null<DenseI64ArrayAttr>(getParameter(name));
  if (!attribute)
    return std::nullopt;
  return SmallVector<int64_t>(attribute.asArrayRef());
}

Value NodeOp::getInput(unsigned index) {
  if (index >= getInputs().size() ||
      isa<NoneType>(getInputs()[index].getType()))
    return {};
  return getInputs()[index];
}

StringRef NodeOp::getScope() {
  StringRef name = getNodeName();
  size_t slash = name.rfind('/');
  return slash == StringRef::npos ? StringRef() : name.take_front(slash);
}

LogicalResult ConstantOp::verify() {
  ElementsAttr attribute = getValue();
  if (attribute.getNumElements() > maxElements) // C1
    return emitOpError("expected at most ")
           << maxElements << " elements, but got " << attribute.getNumElements()
           << "; use onnx.initializer";
  return success();
}

LogicalResult InitializerOp::verify() {
  if (getFile().empty()) // C1
    return emitOpError("expected a file, but its name is empty");
  int64_t offset = getOffset();
  if (offset < 0) // C2
    return emitOpError("expected an offset of at least 0, but got ") << offset;
  return success();
}
