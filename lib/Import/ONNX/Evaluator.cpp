// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Import/ONNX/Evaluator.h"

#include "lib/Import/ONNX/Elements.h"

using namespace mlir;
using namespace pmpd::onnx;

bool pmpd::onnx::readsOnlyTypes(NodeOp node) {
  return node.getDomain().empty() &&
         (node.getOpType() == "Shape" || node.getOpType() == "Size");
}

std::optional<ArrayRef<int64_t>> Operands::getIntegers(unsigned index) const {
  const Tensor *tensor = get(index);
  if (!tensor || tensor->isReal())
    return std::nullopt;
  return ArrayRef<int64_t>(tensor->integers());
}

static const OperatorTable &getOperators() {
  static const OperatorTable table = [] {
    OperatorTable operators;
    addStructuralOperators(operators);
    addArithmeticOperators(operators);
    addReductionOperators(operators);
    return operators;
  }();
  return table;
}

/// Null if the operator cannot be evaluated.
static const Operator *findOperator(NodeOp node) {
  auto it = getOperators().find(node.getOpType());
  return node.getDomain().empty() && it != getOperators().end() ? &it->second
                                                                : nullptr;
}

bool pmpd::onnx::isEvaluable(NodeOp node) {
  return findOperator(node) != nullptr;
}

static llvm::Error makeError(NodeOp node, const Twine &reason) {
  return llvm::createStringError("cannot evaluate " + node.getOpType() +
                                 " node '" + node.getNodeName() +
                                 "': " + reason);
}

llvm::Expected<const Tensor *> Evaluator::evaluate(Value value) {
  // Depth first with a stack of its own: graphs may be arbitrarily deep.
  SmallVector<Value> stack = {value};
  while (!stack.empty()) {
    Value current = stack.back();
    if (known.contains(current)) {
      stack.pop_back();
      continue;
    }
    Operation *op = current.getDefiningOp();
    if (!op)
      return llvm::createStringError(
          "it depends on the contents of a graph input");
    size_t before = stack.size();
    auto node = dyn_cast<NodeOp>(op);
    if (node && !readsOnlyTypes(node))
      for (Value input : node.getInputs())
        if (!isa<NoneType>(input.getType()) && !known.contains(input))
          stack.push_back(input);
    if (stack.size() != before)
      continue;
    if (llvm::Error error = compute(op))
      return error;
    stack.pop_back();
  }
  return &known.find(value)->second;
}

llvm::Error Evaluator::compute(Operation *op) {
  if (auto constant = dyn_cast<ConstantOp>(op)) {
    known[constant] = toTensor(constant.getValue());
    return llvm::Error::success();
  }
  if (auto initializer = dyn_cast<InitializerOp>(op)) {
    auto type = cast<RankedTensorType>(initializer.getType());
    if (countElements(type.getShape()) > maxElements)
      return llvm::createStringError("initializer '" +
                                     initializer.getTensorName() +
                                     "' is too large to evaluate");
    llvm::Expected<StringRef> bytes = files.map(initializer.getFile());
    if (!bytes)
      return bytes.takeError();
    uint64_t length =
        type.getNumElements() * getElementBytes(type.getElementType());
    uint64_t offset = initializer.getOffset();
    if (offset > bytes->size() || length > bytes->size() - offset)
      return llvm::createStringError("initializer '" +
                                     initializer.getTensorName() +
                                     "' is beyond the end of its file");
    known[initializer] = readElements(bytes->substr(offset, length), type);
    return llvm::Error::success();
  }
  auto node = dyn_cast<NodeOp>(op);
  if (!node)
    return llvm::createStringError("it is the result of " +
                                   op->getName().getStringRef());
  if (readsOnlyTypes(node)) {
    llvm::Expected<Tensor> shape = computeShape(node);
    if (!shape)
      return shape.takeError();
    known[node.getResult(0)] = std::move(*shape);
    return llvm::Error::success();
  }
  const Operator *compute = findOperator(node);
  if (!compute)
    return makeError(node, "the operator cannot be evaluated");
  SmallVector<const Tensor *> inputs;
  for (Value input : node.getInputs())
    inputs.push_back(
        isa<NoneType>(input.getType()) ? nullptr : &known.find(input)->second);
  Results results = (*compute)({node, inputs});
  if (results.size() < node.getNumResults())
    return makeError(node, "its inputs do not fit the operator");
  for (auto [result, tensor] : llvm::zip(node.getResults(), results))
    known[result] = std::move(tensor);
  return llvm::Error::success();
}

llvm::Expected<Tensor> Evaluator::computeShape(NodeOp node) {
  auto type = dyn_cast<RankedTensorType>(node.getInputs()[0].getType());
  if (!type)
    return makeError(node, "the rank of its input is not known");
  Tensor::Integers sizes;
  for (AffineExpr dim : symbols.getShape(type)) {
    std::optional<int64_t> size = symbols.evaluate(dim, dims);
    if (!size)
      return makeError(node, "the dimension '" + Twine(symbols.print(dim)) +
                                 "' of its input is not known");
    sizes.push_back(*size);
  }
  if (node.getOpType() == "Size")
    return Tensor{{}, Tensor::Integers{countElements(sizes)}};
  int64_t rank = sizes.size();
  SliceRange range =
      clampSlice(rank, node.getInt("start", 0), node.getInt("end", rank), 1);
  Tensor::Integers kept(sizes.begin() + range.start,
                        sizes.begin() + range.start + range.count);
  return Tensor{{range.count}, std::move(kept)};
}
