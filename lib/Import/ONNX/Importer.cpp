// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Import/ONNX/Importer.h"

#include "lib/Import/ONNX/Elements.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace pmpd::onnx;

Importer::Importer(const ModelFile &file, MLIRContext *context,
                   const ImportOptions &options)
    : file(file), options(options), builder(context), symbols(context),
      shapes(symbols) {
  context->loadDialect<ONNXDialect, func::FuncDialect>();
}

Location Importer::getLocation(StringRef name) {
  Location place = FileLineColLoc::get(builder.getContext(), file.getPath(),
                                       /*line=*/0, /*column=*/0);
  return name.empty() ? place
                      : NameLoc::get(builder.getStringAttr(name), place);
}

InFlightDiagnostic Importer::emitError(Location loc) {
  InFlightDiagnostic diagnostic = mlir::emitError(loc);
  if (auto named = dyn_cast<NameLoc>(loc))
    diagnostic << "node '" << named.getName().getValue() << "': ";
  return diagnostic;
}

OwningOpRef<ModuleOp> Importer::run() {
  if (failed(readOpset()))
    return {};
  OwningOpRef<ModuleOp> module = ModuleOp::create(getLocation(""));
  (*module)->setAttr(kOpsetAttr, builder.getI64IntegerAttr(opset));
  (*module)->setAttr(kFileAttr, builder.getStringAttr(file.getPath()));
  if (failed(importGraph(file.getModel().graph(), *module)))
    return {};
  return module;
}

LogicalResult Importer::readOpset() {
  for (const proto::OperatorSetIdProto &set : file.getModel().opset_import())
    if (set.domain().empty() || set.domain() == "ai.onnx")
      opset = set.version();
  if (opset < kMinOpset || opset > kMaxOpset)
    return emitError(getLocation(""))
           << "expected opset " << kMinOpset << " to " << kMaxOpset
           << ", but got " << opset << "; export with opset_version=17";
  return success();
}

LogicalResult Importer::importGraph(const proto::GraphProto &graph,
                                    ModuleOp module) {
  builder.setInsertionPointToEnd(module.getBody());
  auto function =
      func::FuncOp::create(builder, getLocation(graph.name()), "graph",
                           builder.getFunctionType(TypeRange(), TypeRange()));
  builder.setInsertionPointToStart(function.addEntryBlock());
  if (failed(importInputs(graph, function)))
    return failure();
  for (const proto::ValueInfoProto &info : graph.value_info())
    claimed[info.name()] = &info;
  for (const proto::ValueInfoProto &info : graph.output())
    claimed[info.name()] = &info;
  if (failed(importContents(graph)))
    return failure();

  SmallVector<Value> results;
  for (const proto::ValueInfoProto &output : graph.output()) {
    Value value = find(output.name());
    if (!value)
      return emitError(getLocation(""))
             << "expected a node that computes the output '" << output.name()
             << "', but there is none";
    results.push_back(value);
  }
  func::ReturnOp::create(builder, function.getLoc(), results);
  function.setType(builder.getFunctionType(function.front().getArgumentTypes(),
                                           TypeRange(ValueRange(results))));
  for (auto [i, output] : llvm::enumerate(graph.output()))
    function.setResultAttr(i, kNameAttr, builder.getStringAttr(output.name()));
  return success();
}

LogicalResult Importer::importInputs(const proto::GraphProto &graph,
                                     func::FuncOp function) {
  // Older files list initializers as inputs too.
  llvm::StringSet<> initialized;
  for (const proto::TensorProto &tensor : graph.initializer())
    initialized.insert(tensor.name());
  SmallVector<Type> types;
  SmallVector<StringRef> names;
  for (const proto::ValueInfoProto &input : graph.input()) {
    if (initialized.contains(input.name()))
      continue;
    Type type = importType(input);
    if (!type)
      return emitError(getLocation(""))
             << "expected the input '" << input.name()
             << "' to be a tensor of a known rank and of float, double, "
                "float16, bfloat16, int8, uint8, int32, int64 or bool";
    types.push_back(type);
    names.push_back(input.name());
    Value argument =
        function.front().addArgument(type, getLocation(input.name()));
    if (!scope.try_emplace(input.name(), argument).second)
      return emitError(getLocation(""))
             << "expected different names, but two inputs are '" << input.name()
             << "'";
  }
  function.setType(builder.getFunctionType(types, TypeRange()));
  for (auto [i, name] : llvm::enumerate(names))
    function.setArgAttr(i, kNameAttr, builder.getStringAttr(name));
  return success();
}

Type Importer::importType(const proto::ValueInfoProto &info) {
  const proto::TypeProto_Tensor &tensor = info.type().tensor_type();
  Type elementType = ::getElementType(tensor.elem_type(), builder.getContext());
  if (!elementType || !tensor.has_shape())
    return {};
  SymbolicShape shape;
  for (const proto::TensorShapeProto_Dimension &dim : tensor.shape().dim()) {
    if (dim.has_dim_value() && dim.dim_value() >= 0) {
      shape.push_back(symbols.getConstant(dim.dim_value()));
      continue;
    }
    AffineExpr expr;
    if (!dim.dim_param().empty()) {
      expr = symbols.parse(dim.dim_param());
      if (!expr) {
        // Any text is allowed as a name.
        std::string name = dim.dim_param();
        for (char &c : name)
          c = llvm::isAlnum(c) ? c : '_';
        expr = symbols.getSymbol("_" + name);
      }
    }
    if (auto constant = dyn_cast_or_null<AffineConstantExpr>(expr);
        constant && constant.getValue() < 0)
      return {};
    shape.push_back(expr ? expr : symbols.createSymbol());
  }
  return symbols.getType(shape, elementType);
}

LogicalResult Importer::importContents(const proto::GraphProto &graph) {
  if (graph.sparse_initializer_size() > 0)
    return emitError(getLocation(""))
           << "expected dense initializers, but got a sparse one; convert it "
              "to a dense tensor";
  for (const proto::TensorProto &tensor : graph.initializer()) {
    Value value = importTensor(tensor, getLocation(""));
    if (!value)
      return failure();
    scope[tensor.name()] = value;
  }
  for (const proto::NodeProto &node : graph.node())
    if (failed(importNode(node)))
      return failure();
  return success();
}

static bool isDefaultDomain(StringRef domain) {
  return domain.empty() || domain == "ai.onnx";
}

LogicalResult Importer::importNode(const proto::NodeProto &node) {
  Location loc = getLocation(node.name().empty() && node.output_size() > 0
                                 ? StringRef(node.output(0))
                                 : StringRef(node.name()));
  StringRef opType = node.op_type();
  if (opType.empty() || node.output_size() == 0)
    return emitError(loc)
           << "expected a node with an operator and outputs, but got '"
           << opType << "' with " << node.output_size() << " outputs";
  bool isDefault = isDefaultDomain(node.domain());
  if (isDefault && opType == "Constant")
    return importConstant(node, loc);
  if (isDefault && opType == "If")
    if (std::optional<bool> taken = getCondition(node))
      return inlineBranch(node, *taken, loc);

  SmallVector<Value> inputs;
  for (const std::string &name : node.input()) {
    if (name.empty()) {
      inputs.push_back(AbsentOp::create(builder, loc, builder.getNoneType()));
      continue;
    }
    Value value = find(name);
    if (!value)
      return emitError(loc) << "expected input '" << name << "' of " << opType
                            << " to be computed before, but it is not";
    inputs.push_back(value);
  }
  NamedAttrList parameters;
  for (const proto::AttributeProto &attribute : node.attribute()) {
    // Inner graphs are not imported: what has one is refused when raising.
    if (attribute.type() == proto::AttributeProto::GRAPH ||
        attribute.type() == proto::AttributeProto::GRAPHS)
      continue;
    Attribute imported = importAttribute(attribute, loc);
    if (!imported)
      return failure();
    if (attribute.name().empty())
      return emitError(loc) << "expected attributes with names";
    parameters.set(attribute.name(), imported);
  }
  if (isDefault &&
      failed(upgrade(opType, loc, inputs, parameters, node.output_size())))
    return failure();

  SmallVector<Type> types(node.output_size(),
                          UnrankedTensorType::get(builder.getF32Type()));
  auto op = NodeOp::create(
      builder, loc, types, opType, isDefault ? StringRef() : node.domain(),
      node.name(), parameters.getDictionary(builder.getContext()), inputs);
  if (failed(op.verifyInvariants()))
    return failure();
  shapes.infer(op);
  for (auto [name, result] : llvm::zip(node.output(), op.getResults())) {
    auto claim = claimed.find(name);
    if (isa<UnrankedTensorType>(result.getType()) && claim != claimed.end())
      if (Type type = importType(*claim->second))
        result.setType(type);
    if (name.empty())
      continue;
    if (!scope.try_emplace(name, result).second)
      return emitError(loc)
             << "expected different names, but two values are '" << name << "'";
  }
  return success();
}

LogicalResult Importer::importConstant(const proto::NodeProto &node,
                                       Location loc) {
  if (node.attribute_size() != 1)
    return emitError(loc) << "expected one attribute of a Constant, but got "
                          << node.attribute_size();
  const proto::AttributeProto &attribute = node.attribute(0);
  Value value;
  if (attribute.type() == proto::AttributeProto::TENSOR) {
    proto::TensorProto tensor = attribute.t();
    tensor.set_name(node.output(0));
    value = importTensor(tensor, loc);
  } else {
    Attribute imported = importAttribute(attribute, loc);
    DenseElementsAttr elements;
    if (auto typed = dyn_cast_or_null<TypedAttr>(imported);
        typed && typed.getType().isIntOrFloat())
      elements = DenseElementsAttr::get(
          RankedTensorType::get({}, typed.getType()), imported);
    else if (auto list = dyn_cast_or_null<DenseI64ArrayAttr>(imported))
      elements = DenseElementsAttr::get(
          RankedTensorType::get({list.size()}, builder.getI64Type()),
          list.asArrayRef());
    else if (auto list = dyn_cast_or_null<DenseF32ArrayAttr>(imported))
      elements = DenseElementsAttr::get(
          RankedTensorType::get({list.size()}, builder.getF32Type()),
          list.asArrayRef());
    else if (imported)
      return emitError(loc)
             << "expected a Constant of numbers, but got " << attribute.name();
    if (elements && elements.getNumElements() <= ConstantOp::maxElements)
      value = ConstantOp::create(builder, loc, elements);
    else if (elements)
      return emitError(loc)
             << "expected a list of at most " << ConstantOp::maxElements
             << " numbers in a Constant, but got " << elements.getNumElements()
             << "; save it as a tensor with raw_data";
  }
  if (!value)
    return failure();
  scope[node.output(0)] = value;
  return success();
}

std::optional<bool> Importer::getCondition(const proto::NodeProto &node) {
  if (node.input_size() != 1)
    return std::nullopt;
  if (node.input(0) == "use_cache_branch")
    return options.useCacheBranch;
  Value value = find(node.input(0));
  auto constant = value ? value.getDefiningOp<ConstantOp>() : ConstantOp();
  if (!constant || constant.getValue().getNumElements() != 1)
    return std::nullopt;
  return toTensor(constant.getValue()).at(0) != 0;
}

LogicalResult Importer::inlineBranch(const proto::NodeProto &node, bool taken,
                                     Location loc) {
  const proto::GraphProto *branch = nullptr;
  for (const proto::AttributeProto &attribute : node.attribute())
    if (attribute.name() == (taken ? "then_branch" : "else_branch"))
      branch = &attribute.g();
  if (!branch || branch->output_size() != node.output_size())
    return emitError(loc) << "expected a branch of If with "
                          << node.output_size() << " outputs";
  // Names of the branch are not seen outside of it.
  Scope outer = scope;
  if (failed(importContents(*branch)))
    return failure();
  for (auto [name, inner] : llvm::zip(node.output(), branch->output())) {
    Value value = find(inner.name());
    if (!value)
      return emitError(loc) << "expected a node that computes the output '"
                            << inner.name() << "' of a branch";
    outer[name] = value;
  }
  scope = std::move(outer);
  return success();
}

OwningOpRef<ModuleOp> pmpd::onnx::importONNX(StringRef path,
                                             MLIRContext *context,
                                             const ImportOptions &options) {
  llvm::Expected<ModelFile> file = ModelFile::open(path);
  if (!file) {
    mlir::emitError(FileLineColLoc::get(context, path, 0, 0))
        << llvm::toString(file.takeError());
    return {};
  }
  return Importer(*file, context, options).run();
}
