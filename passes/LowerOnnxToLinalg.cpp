// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/LowerOnnx.h"
#include "passes/Passes.h"

#include "mlir/Dialect/Arith/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Linalg/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Tensor/Transforms/BufferizableOpInterfaceImpl.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"

using namespace mlir;
using namespace pmpd;
using onnx::NodeOp;

GraphLowering::Rule GraphLowering::getRule(NodeOp node) {
  if (!node.getDomain().empty())
    return nullptr;
  return llvm::StringSwitch<Rule>(node.getOpType())
      .Cases({"Abs", "Erf", "Exp", "LeakyRelu", "Log", "Neg", "Reciprocal",
              "Relu", "Sigmoid", "Sqrt", "Tanh"},
             &GraphLowering::lowerUnary)
      .Cases({"Add", "Div", "Mul", "Sub"}, &GraphLowering::lowerBinary)
      .Cases({"Max", "Min", "Sum"}, &GraphLowering::lowerVariadic)
      .Case("Pow", &GraphLowering::lowerPow)
      .Cases({"ReduceMax", "ReduceMean", "ReduceMin", "ReduceSum"},
             &GraphLowering::lowerReduce)
      .Cases({"LogSoftmax", "Softmax"}, &GraphLowering::lowerSoftmax)
      .Case("LayerNormalization", &GraphLowering::lowerLayerNormalization)
      .Case("MatMul", &GraphLowering::lowerMatMul)
      .Case("Gemm", &GraphLowering::lowerGemm)
      .Case("Transpose", &GraphLowering::lowerTranspose)
      .Cases({"Flatten", "Reshape", "Squeeze", "Unsqueeze"},
             &GraphLowering::lowerReshape)
      .Cases({"Cast", "Dropout", "Identity"}, &GraphLowering::lowerIdentity)
      .Case("Expand", &GraphLowering::lowerExpand)
      .Default(nullptr);
}

/// Inputs that only say how: shapes and axes, which types already tell.
static bool isParameter(NodeOp node, unsigned index) {
  StringRef type = node.getOpType();
  return index > 0 && node.getDomain().empty() &&
         (type.starts_with("Reduce") ||
          llvm::is_contained(
              {"Reshape", "Squeeze", "Unsqueeze", "Expand", "Dropout", "Pow"},
              type));
}

void GraphLowering::markNeeded() {
  auto mark = [&](Value value) {
    if (auto node = value.getDefiningOp<NodeOp>())
      needed.insert(node);
  };
  for (Operation &op : llvm::reverse(func.front())) {
    if (isa<func::ReturnOp, UnrealizedConversionCastOp>(op))
      llvm::for_each(op.getOperands(), mark);
    else if (auto node = dyn_cast<NodeOp>(op); node && needed.contains(node))
      for (auto [index, input] : llvm::enumerate(node.getInputs()))
        if (!isParameter(node, index))
          mark(input);
  }
}

Operand GraphLowering::refuse(NodeOp node, const Twine &reason) {
  std::string text = ("cannot lower node '" + node.getNodeName() + "' (" +
                      node.getOpType() + "): " + reason)
                         .str();
  if (reported.insert(text).second)
    emitError(node.getLoc(), text);
  refused = true;
  return {};
}

/// `type` without symbolic dimensions.
static RankedTensorType getPlain(RankedTensorType type) {
  return RankedTensorType::get(type.getShape(), type.getElementType());
}

void GraphLowering::bindArguments() {
  b.setInsertionPointToStart(&func.front());
  for (BlockArgument argument : func.getArguments()) {
    auto type = dyn_cast<RankedTensorType>(argument.getType());
    if (!type || !type.getElementType().isF32())
      continue;
    argument.setType(getPlain(type));
    values[argument] = b.bind(argument, type);
  }
}

Operand GraphLowering::get(NodeOp node, unsigned index) {
  Value input = node.getInput(index);
  if (!input)
    return refuse(node, "expected input " + Twine(index) + " to be there");
  auto type = dyn_cast<RankedTensorType>(input.getType());
  if (auto found = values.find(input); found != values.end())
    return found->second;
  if (auto constant = input.getDefiningOp<onnx::ConstantOp>();
      constant && type.getElementType().isF32())
    return values[input] = b.bind(arith::ConstantOp::create(
                                      b, cast<TypedAttr>(constant.getValue())),
                                  type);
  if (auto initializer = input.getDefiningOp<onnx::InitializerOp>();
      initializer && type.getElementType().isF32())
    return refuse(node, "expected weight '" + initializer.getTensorName() +
                            "' to be an argument; run --pmpd-attach-scheduler");
  if (!type && input.getDefiningOp<NodeOp>())
    return {}; // what computes it was refused
  if (!type || !type.getElementType().isF32())
    return refuse(node, "expected input " + Twine(index) +
                            " to be a tensor of f32 of known rank; export the "
                            "network in float32");
  return {};
}

void GraphLowering::lower(NodeOp node) {
  b.setInsertionPoint(node);
  b.setLoc(node.getLoc());
  Rule rule = getRule(node);
  auto type = dyn_cast<RankedTensorType>(node.getResult(0).getType());
  if (!rule) {
    refuse(node, "the operator has no lowering");
    return;
  }
  bool more = llvm::any_of(node.getResults().drop_front(),
                           [](Value result) { return !result.use_empty(); });
  if (more) {
    refuse(node, "expected only its first output to be used");
  } else if (!type) {
    // Else it is only behind a node that is reported.
    if (llvm::all_of(node.getInputs(), [](Value input) {
          return !isa<UnrankedTensorType>(input.getType());
        }))
      refuse(node, "expected a result of known rank");
    refused = true;
  } else if (!type.getElementType().isF32())
    refuse(node, "expected a result of f32; export the network in float32");
  else if (!b.areKnown(getResultDims(node)))
    refuse(node, "expected a shape that follows from those of the inputs");
  else if (Operand result = (this->*rule)(node); !result)
    refused = true;
  else if (result.dims != getResultDims(node))
    refuse(node, "expected a result of " + print(getResultDims(node)) +
                     ", but it is " + print(result.dims));
  else
    values[node.getResult(0)] = result;
}

void GraphLowering::finish() {
  for (Operation &op : llvm::make_early_inc_range(func.front()))
    if (auto cast = dyn_cast<UnrealizedConversionCastOp>(op)) {
      Operand value = values.lookup(cast.getOperand(0));
      if (value)
        cast.getResult(0).replaceAllUsesWith(value.value);
    }
  Operation *last = func.front().getTerminator();
  for (OpOperand &operand : last->getOpOperands())
    if (Operand value = values.lookup(operand.get()))
      operand.set(value.value);
  func.setType(FunctionType::get(func.getContext(),
                                 func.front().getArgumentTypes(),
                                 last->getOperandTypes()));
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(func.front())))
    if ((isa<UnrealizedConversionCastOp>(op) ||
         isa<onnx::ONNXDialect>(op.getDialect())) &&
        op.use_empty())
      op.erase();
}

LogicalResult GraphLowering::run() {
  markNeeded();
  bindArguments();
  for (Operation &op : llvm::make_early_inc_range(func.front())) {
    if (auto cast = dyn_cast<UnrealizedConversionCastOp>(op)) {
      // Into the graph; those out of it are replaced at the end.
      b.setInsertionPointAfter(cast);
      Operation *from = cast.getOperand(0).getDefiningOp();
      if (!from || !isa<onnx::ONNXDialect>(from->getDialect()))
        values[cast.getResult(0)] =
            b.bind(cast.getOperand(0),
                   dyn_cast<RankedTensorType>(cast.getResult(0).getType()));
      else if (!isa<NodeOp>(from))
        return from->emitError("expected a result that a node computes");
    } else if (auto node = dyn_cast<NodeOp>(op)) {
      if (needed.contains(node))
        lower(node);
    }
  }
  if (refused)
    return failure();
  finish();
  return success();
}

namespace pmpd {
#define GEN_PASS_DEF_LOWERONNXTOLINALG
#include "passes/Passes.h.inc"

namespace {
struct LowerOnnxToLinalg : impl::LowerOnnxToLinalgBase<LowerOnnxToLinalg> {
  void getDependentDialects(DialectRegistry &registry) const override {
    LowerOnnxToLinalgBase::getDependentDialects(registry);
    // What is made here is bufferized next.
    arith::registerBufferizableOpInterfaceExternalModels(registry);
    linalg::registerBufferizableOpInterfaceExternalModels(registry);
    tensor::registerBufferizableOpInterfaceExternalModels(registry);
  }

  void runOnOperation() override {
    llvm::StringSet<> reported;
    bool refused = false;
    for (auto func : getOperation().getOps<func::FuncOp>())
      if (!func.isExternal() && !func.getOps<NodeOp>().empty())
        refused |= failed(GraphLowering(func, reported).run());
    if (refused)
      signalPassFailure();
  }
};
} // namespace
} // namespace pmpd
