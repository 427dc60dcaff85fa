// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What all rules share: the table, the element types, arithmetic on
// dimensions. The rules are in ShapeRules.cpp.
#include "lib/Import/ONNX/ShapeInference.h"

#include "lib/Import/ONNX/Elements.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/ADT/StringSwitch.h"

using namespace mlir;
using namespace pmpd::onnx;

// Tensors that describe shapes have a few elements.
static constexpr int64_t maxSymbolicElements = 64;

ShapeInference::Rule ShapeInference::getRule(StringRef opType) {
  return llvm::StringSwitch<Rule>(opType)
      .Cases({"Abs", "Cast", "CastLike", "Ceil", "Clip", "Cos", "CumSum",
              "Dropout", "Erf"},
             &ShapeInference::inferSame)
      .Cases({"Exp", "Floor", "Gelu", "HardSwish", "Identity", "IsInf", "IsNaN",
              "LayerNormalization", "LeakyRelu", "Log"},
             &ShapeInference::inferSame)
      .Cases({"LogSoftmax", "Mish", "Neg", "Not", "Reciprocal", "Relu", "Round",
              "ScatterElements", "ScatterND"},
             &ShapeInference::inferSame)
      .Cases({"Sigmoid", "Sign", "Sin", "Softmax", "Softplus", "Sqrt", "Tanh",
              "Trilu"},
             &ShapeInference::inferSame)
      .Cases({"Add", "And", "Div", "Equal", "Greater", "GreaterOrEqual", "Less",
              "LessOrEqual", "Max"},
             &ShapeInference::inferBroadcast)
      .Cases({"Min", "Mod", "Mul", "Or", "Pow", "Sub", "Sum", "Where", "Xor"},
             &ShapeInference::inferBroadcast)
      .Cases({"ReduceL2", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd",
              "ReduceSum", "ReduceSumSquare"},
             &ShapeInference::inferReduce)
      .Case("Concat", &ShapeInference::inferConcat)
      .Case("ConstantOfShape", &ShapeInference::inferFromShapeInput)
      .Case("Expand", &ShapeInference::inferExpand)
      .Case("Flatten", &ShapeInference::inferFlatten)
      .Case("Gather", &ShapeInference::inferGather)
      .Case("GatherElements", &ShapeInference::inferGatherElements)
      .Case("GatherND", &ShapeInference::inferGatherND)
      .Case("Gemm", &ShapeInference::inferGemm)
      .Case("MatMul", &ShapeInference::inferMatMul)
      .Case("Range", &ShapeInference::inferRange)
      .Case("Reshape", &ShapeInference::inferReshape)
      .Case("Shape", &ShapeInference::inferShape)
      .Case("Size", &ShapeInference::inferSize)
      .Case("Slice", &ShapeInference::inferSlice)
      .Case("Split", &ShapeInference::inferSplit)
      .Case("Squeeze", &ShapeInference::inferSqueeze)
      .Case("Tile", &ShapeInference::inferTile)
      .Case("Transpose", &ShapeInference::inferTranspose)
      .Case("Unsqueeze", &ShapeInference::inferUnsqueeze)
      .Default(nullptr);
}

ShapeInference::Rule ShapeInference::getFusedRule(StringRef opType) {
  return llvm::StringSwitch<Rule>(opType)
      .Cases({"BiasGelu", "FastGelu", "Gelu", "QuickGelu", "RotaryEmbedding",
              "SimplifiedLayerNormalization"},
             &ShapeInference::inferSame)
      .Cases({"SkipLayerNormalization", "SkipSimplifiedLayerNormalization"},
             &ShapeInference::inferSkipNormalization)
      .Case("MatMulNBits", &ShapeInference::inferMatMulNBits)
      .Case("FusedMatMul", &ShapeInference::inferMatMul)
      .Case("GroupQueryAttention", &ShapeInference::inferGroupQueryAttention)
      .Default(nullptr);
}

Type ShapeInference::inferElementType(NodeOp node) {
  MLIRContext *context = symbols.getContext();
  StringRef opType = node.getOpType();
  auto ofInput = [&](unsigned index) -> Type {
    Value input = node.getInput(index);
    return input ? getElementTypeOrSelf(input.getType())
                 : Float32Type::get(context);
  };
  if (opType == "Cast") {
    Type type = ::getElementType(node.getInt("to", 1), context);
    return type ? type : ofInput(0);
  }
  if (opType == "ConstantOfShape") {
    auto value = dyn_cast_or_null<ElementsAttr>(node.getParameter("value"));
    return value ? value.getElementType() : Float32Type::get(context);
  }
  return llvm::StringSwitch<Type>(opType)
      .Cases({"Shape", "Size", "ArgMax", "ArgMin", "NonZero"},
             IntegerType::get(context, 64))
      .Cases({"Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual",
              "And", "Or", "Xor", "Not"},
             IntegerType::get(context, 1))
      .Cases({"IsNaN", "IsInf"}, IntegerType::get(context, 1))
      .Cases({"Where", "CastLike"}, ofInput(1))
      .Default(ofInput(0));
}

void ShapeInference::infer(NodeOp node) {
  Type elementType = inferElementType(node);
  for (Value result : node.getResults())
    result.setType(UnrankedTensorType::get(elementType));
  StringRef opType = node.getOpType();
  Rule rule = node.isFused()             ? getFusedRule(opType)
              : node.getDomain().empty() ? getRule(opType)
                                         : nullptr;
  std::optional<Shapes> shapes = rule ? (this->*rule)(node) : std::nullopt;
  if (!shapes)
    return;
  for (auto [result, shape] : llvm::zip(node.getResults(), *shapes)) {
    bool negative = llvm::any_of(shape, [](AffineExpr dim) {
      auto constant = dyn_cast<AffineConstantExpr>(dim);
      return constant && constant.getValue() < 0;
    });
    if (!negative)
      result.setType(symbols.getType(shape, elementType));
  }
  if (isa<IntegerType>(elementType))
    if (std::optional<SymbolicTensor> found = inferElements(node))
      // A wrong graph may, for one, reshape to another number of elements.
      if (countElements(found->shape) ==
          static_cast<int64_t>(found->elements.size()))
        elements[node.getResult(0)] = std::move(*found);
}

std::optional<SymbolicShape> ShapeInference::getShape(NodeOp node,
                                                      unsigned input) {
  Value value = node.getInput(input);
  auto type =
      value ? dyn_cast<RankedTensorType>(value.getType()) : RankedTensorType();
  if (!type)
    return std::nullopt;
  return SymbolicShape(symbols.getShape(type));
}

const SymbolicTensor *ShapeInference::getElements(NodeOp node, unsigned index) {
  Value input = node.getInput(index);
  if (!input)
    return nullptr;
  auto it = elements.find(input);
  if (it != elements.end())
    return &it->second;
  auto constant = input.getDefiningOp<ConstantOp>();
  if (!constant || !isa<IntegerType>(constant.getValue().getElementType()) ||
      constant.getValue().getNumElements() > maxSymbolicElements)
    return nullptr;
  Tensor tensor = toTensor(constant.getValue());
  SymbolicTensor symbolic{tensor.shape, {}};
  for (int64_t element : tensor.integers())
    symbolic.elements.push_back(symbols.getConstant(element));
  return &(elements[input] = std::move(symbolic));
}

std::optional<Shape> ShapeInference::getConstants(NodeOp node, unsigned index) {
  const SymbolicTensor *tensor = getElements(node, index);
  if (!tensor)
    return std::nullopt;
  Shape constants;
  for (AffineExpr element : tensor->elements) {
    auto constant = dyn_cast<AffineConstantExpr>(element);
    if (!constant)
      return std::nullopt;
    constants.push_back(constant.getValue());
  }
  return constants;
}

AffineExpr ShapeInference::multiply(ArrayRef<AffineExpr> dims) {
  AffineExpr product = symbols.getConstant(1);
  for (AffineExpr dim : dims)
    product = product * dim;
  return symbols.simplify(product);
}

AffineExpr ShapeInference::divide(SymbolicShape dividend,
                                  ArrayRef<AffineExpr> divisor) {
  auto isDivisorKept = [&](AffineExpr factor) {
    auto it = llvm::find(dividend, factor);
    if (it == dividend.end())
      return true;
    dividend.erase(it);
    return false;
  };
  SmallVector<AffineExpr> kept;
  llvm::copy_if(divisor, std::back_inserter(kept), isDivisorKept);
  AffineExpr above = multiply(dividend), below = multiply(kept);
  if (below == 1 || above == below)
    return above == below ? symbols.getConstant(1) : above;
  auto constant = dyn_cast<AffineConstantExpr>(below);
  if (!constant || constant.getValue() <= 0)
    return {};
  return symbols.simplify(above.floorDiv(constant.getValue()));
}

AffineExpr ShapeInference::ceilDivide(AffineExpr dividend, int64_t divisor) {
  return divisor == 1 ? dividend : symbols.simplify(dividend.ceilDiv(divisor));
}

SymbolicShape ShapeInference::broadcast(const SymbolicShape &left,
                                        const SymbolicShape &right) {
  const SymbolicShape &longer = left.size() < right.size() ? right : left;
  const SymbolicShape &shorter = left.size() < right.size() ? left : right;
  SymbolicShape result = longer;
  size_t added = longer.size() - shorter.size();
  for (auto [a, dim] : llvm::enumerate(shorter)) {
    AffineExpr &into = result[added + a];
    // Of two different symbols neither is 1 in a graph that runs; a constant
    // says more.
    if (into == 1 || (dim != 1 && isa<AffineConstantExpr>(dim)))
      into = dim;
  }
  return result;
}

std::optional<bool> ShapeInference::isEqual(AffineExpr left, AffineExpr right) {
  AffineExpr difference = symbols.simplify(left - right);
  if (auto constant = dyn_cast<AffineConstantExpr>(difference))
    return constant.getValue() == 0;
  // Symbols are not negative: with positive terms only, the value is at least
  // what is left at zero.
  int64_t least = 0;
  bool positive = true;
  std::function<void(AffineExpr)> visit = [&](AffineExpr expr) {
    auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
    if (auto constant = dyn_cast<AffineConstantExpr>(expr))
      least += constant.getValue();
    else if (binary && binary.getKind() == AffineExprKind::Add) {
      visit(binary.getLHS());
      visit(binary.getRHS());
    } else if (binary && binary.getKind() == AffineExprKind::Mul) {
      auto factor = dyn_cast<AffineConstantExpr>(binary.getRHS());
      positive &= !factor || factor.getValue() >= 0;
      positive &= !isa<AffineBinaryOpExpr>(binary.getLHS());
    } else if (binary)
      positive = false;
  };
  visit(difference);
  if (positive && least > 0)
    return false;
  return std::nullopt;
}

std::optional<SymbolicTensor> ShapeInference::inferElements(NodeOp node) {
  auto type = dyn_cast<RankedTensorType>(node.getResult(0).getType());
  if (!type || !type.hasStaticShape() ||
      countElements(type.getShape()) > maxSymbolicElements ||
      !node.getDomain().empty())
    return std::nullopt;
  // Finding the elements of one input may move those of another, so all are
  // found before any is used.
  for (unsigned i = 0; i < node.getInputs().size(); ++i)
    getElements(node, i);
  StringRef opType = node.getOpType();
  Shape shape(type.getShape().begin(), type.getShape().end());
  if (opType == "Shape") {
    SymbolicShape dims = *getShape(node, 0);
    SliceRange range = clampSlice(dims.size(), node.getInt("start", 0),
                                  node.getInt("end", dims.size()), 1);
    auto kept = ArrayRef<AffineExpr>(dims).slice(range.start, range.count);
    return SymbolicTensor{shape, {kept.begin(), kept.end()}};
  }
  if (opType == "Size")
    return SymbolicTensor{shape, {multiply(*getShape(node, 0))}};
  if (opType == "ConstantOfShape") {
    auto value =
        dyn_cast_or_null<DenseElementsAttr>(node.getParameter("value"));
    if (!value)
      return std::nullopt;
    AffineExpr filler = symbols.getConstant(toTensor(value).integers()[0]);
    return SymbolicTensor{
        shape, std::vector<AffineExpr>(countElements(shape), filler)};
  }
  if (opType == "Add" || opType == "Sub" || opType == "Mul" ||
      opType == "Div" || opType == "Equal")
    return combineElements(node);
  if (opType == "Where")
    return chooseElements(node);
  if (opType == "Concat")
    return joinElements(node);

  const SymbolicTensor *from = getElements(node, 0);
  if (!from)
    return std::nullopt;
  if (opType == "Identity" || opType == "Reshape" || opType == "Squeeze" ||
      opType == "Unsqueeze")
    return SymbolicTensor{shape, from->elements};
  if (opType == "Cast") {
    // A cast to bool changes a value, the others keep what fits a dimension.
    if (type.getElementTypeBitWidth() == 1 &&
        getElementTypeOrSelf(node.getInputs()[0]).getIntOrFloatBitWidth() != 1)
      return std::nullopt;
    return SymbolicTensor{shape, from->elements};
  }
  std::optional<Selection> selection;
  if (opType == "Gather") {
    auto indices = getConstants(node, 1);
    if (indices)
      selection = selectGather(from->shape, node.getInt("axis", 0),
                               getElements(node, 1)->shape, *indices);
  } else if (opType == "Slice") {
    auto starts = getConstants(node, 1), ends = getConstants(node, 2);
    auto axes = getConstants(node, 3), steps = getConstants(node, 4);
    if (starts && ends && starts->size() == 1 && ends->size() == 1)
      selection =
          selectSlice(from->shape, *starts, *ends, axes ? *axes : Shape{0},
                      steps ? *steps : Shape{1});
  } else if (opType == "Expand") {
    selection = selectExpand(from->shape, shape);
  }
  if (!selection || ArrayRef<int64_t>(selection->shape) != type.getShape())
    return std::nullopt;
  return SymbolicTensor{shape, selection->apply(from->elements)};
}

std::optional<SymbolicTensor> ShapeInference::combineElements(NodeOp node) {
  if (!getElements(node, 0) || !getElements(node, 1))
    return std::nullopt;
  const SymbolicTensor &left = *getElements(node, 0);
  const SymbolicTensor &right = *getElements(node, 1);
  std::optional<Shape> shape = broadcastShapes(left.shape, right.shape);
  if (!shape)
    return std::nullopt;
  std::vector<AffineExpr> l =
      selectExpand(left.shape, *shape)->apply(left.elements);
  std::vector<AffineExpr> r =
      selectExpand(right.shape, *shape)->apply(right.elements);
  SymbolicTensor result{*shape, {}};
  for (auto [a, b] : llvm::zip(l, r)) {
    AffineExpr element;
    if (node.getOpType() == "Add") {
      element = a + b;
    } else if (node.getOpType() == "Sub") {
      element = a - b;
    } else if (node.getOpType() == "Mul") {
      element = a * b;
    } else if (node.getOpType() == "Div") {
      element = divide({a}, {b});
    } else if (std::optional<bool> equal = isEqual(a, b)) {
      element = symbols.getConstant(*equal);
    }
    if (!element)
      return std::nullopt;
    result.elements.push_back(symbols.simplify(element));
  }
  return result;
}

std::optional<SymbolicTensor> ShapeInference::chooseElements(NodeOp node) {
  std::optional<Shape> condition = getConstants(node, 0);
  if (!condition || !getElements(node, 1) || !getElements(node, 2))
    return std::nullopt;
  const SymbolicTensor &yes = *getElements(node, 1);
  const SymbolicTensor &no = *getElements(node, 2);
  ArrayRef<int64_t> conditionShape = getElements(node, 0)->shape;
  std::optional<Shape> shape = broadcastShapes(yes.shape, no.shape);
  if (shape)
    shape = broadcastShapes(*shape, conditionShape);
  if (!shape)
    return std::nullopt;
  Selection c = *selectExpand(conditionShape, *shape);
  Selection y = *selectExpand(yes.shape, *shape);
  Selection n = *selectExpand(no.shape, *shape);
  SymbolicTensor result{*shape, {}};
  for (size_t i = 0; i < c.sources.size(); ++i)
    result.elements.push_back((*condition)[c.sources[i]]
                                  ? yes.elements[y.sources[i]]
                                  : no.elements[n.sources[i]]);
  return result;
}

std::optional<SymbolicTensor> ShapeInference::joinElements(NodeOp node) {
  SymbolicTensor result;
  for (unsigned i = 0; i < node.getInputs().size(); ++i) {
    const SymbolicTensor *part = getElements(node, i);
    if (!part || part->shape.size() != 1)
      return std::nullopt;
    llvm::append_range(result.elements, part->elements);
  }
  result.shape = {static_cast<int64_t>(result.elements.size())};
  return result;
}
