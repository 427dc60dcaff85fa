// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Raising is an abstract interpretation of the ONNX graph: in the order of the
// nodes every value gets a meaning, and decoder ops are made where a meaning is
// complete. What depends on positions, shapes and the mask only is not
// interpreted but computed for sample chunks, and compared with what a decoder
// does.
#include "passes/Raise.h"

#include "passes/Passes.h"

#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/Regex.h"

namespace pmpd {
#define GEN_PASS_DEF_RAISE
#include "passes/Passes.h.inc"
} // namespace pmpd

using namespace mlir;
using namespace pmpd;
using namespace pmpd::raise;
using onnx::NodeOp;

// More memory than this is not reserved for a cache unless asked for.
static constexpr int64_t defaultContext = 4096;

Raiser::Raiser(func::FuncOp graph, const Settings &options)
    : graph(graph), options(options), builder(graph), probes(graph),
      context(options.context ? options.context : defaultContext) {}

Raiser::Handler Raiser::getHandler(NodeOp node) {
  StringRef opType = node.getOpType();
  if (node.isFused())
    return getFusedHandler(opType);
  return llvm::StringSwitch<Handler>(opType)
      .Cases({"Cast", "CastLike", "Dropout", "Identity"},
             &Raiser::raisePassThrough)
      .Cases({"Flatten", "Reshape", "Squeeze", "Unsqueeze"},
             &Raiser::raiseReshape)
      .Case("Concat", &Raiser::raiseConcat)
      .Case("Expand", &Raiser::raiseExpand)
      .Case("Gather", &Raiser::raiseGather)
      .Case("Slice", &Raiser::raiseSlice)
      .Case("Split", &Raiser::raiseSplit)
      .Case("Transpose", &Raiser::raiseTranspose)
      .Cases({"Abs", "Erf", "Exp", "Neg", "Reciprocal", "Relu", "Sigmoid",
              "Sqrt", "Tanh"},
             &Raiser::raiseUnary)
      .Cases({"Add", "Div", "Max", "Min", "Mul", "Pow", "Sub"},
             &Raiser::raiseBinary)
      .Case("IsNaN", &Raiser::raiseIsNaN)
      .Case("LayerNormalization", &Raiser::raiseLayerNormalization)
      .Case("ReduceMean", &Raiser::raiseReduceMean)
      .Case("Where", &Raiser::raiseWhere)
      .Case("Gemm", &Raiser::raiseGemm)
      .Case("MatMul", &Raiser::raiseMatMul)
      .Case("Softmax", &Raiser::raiseSoftmax)
      .Default(nullptr);
}

/// Why an operator is refused whatever its operands are; empty if it is not.
/// `isKnown`: there is a handler of that name.
static std::string getRefusal(NodeOp node, bool isKnown) {
  std::string control =
      llvm::StringSwitch<std::string>(node.getOpType())
          .Case("If", "its condition is not known when "
                      "compiling")
          .Cases({"Loop", "Scan"}, "loops in the graph are not supported")
          .Cases({"MoE", "QMoE"}, "mixtures of experts are not supported")
          .Default("");
  StringRef domain = node.getDomain();
  if (!control.empty() || domain.empty() || (node.isFused() && isKnown))
    return control;
  return ("the operator of domain '" + domain +
          "' is not supported; export the model without fused operators")
      .str();
}

bool Raiser::isAuxiliary(Value value) const {
  return isa<NoneType>(value.getType()) || get<Auxiliary>(value);
}

Meaning Raiser::refuse(NodeOp node, const Twine &reason) {
  std::string text = reason.str();
  // A value that cannot be computed is reported where it is first needed.
  if (reasons.insert(text).second ||
      !StringRef(text).contains("cannot evaluate"))
    refused.insert({node, text});
  return Poison();
}

LogicalResult Raiser::visitInputs() {
  if (failed(probes.readInputs()))
    return failure();
  llvm::Regex past("^past(_key_values)?[._]([0-9]+)[._](key|value)$");
  for (BlockArgument argument : graph.getArguments()) {
    auto name = graph.getArgAttrOfType<StringAttr>(argument.getArgNumber(),
                                                   onnx::kNameAttr);
    SmallVector<StringRef> parts;
    int64_t layer;
    if (!name)
      meanings[argument] = Poison();
    else if (name.getValue() == "input_ids")
      meanings[argument] =
          Tokens{{body.getTokens(), 0, {Axis(), Axis{Atom{Atom::Row}}}}};
    else if (past.match(name.getValue(), &parts) &&
             !parts[2].getAsInteger(10, layer))
      meanings[argument] = Past{layer, parts[3] == "key"};
    else
      meanings[argument] = Auxiliary();
  }
  return success();
}

void Raiser::visit(Operation &op) {
  if (auto node = dyn_cast<NodeOp>(op))
    return visitNode(node);
  for (Value result : op.getResults())
    meanings[result] = Auxiliary();
}

void Raiser::visitNode(NodeOp node) {
  auto setAll = [&](Meaning meaning) {
    for (Value result : node.getResults())
      meanings[result] = meaning;
  };
  Handler handler = getHandler(node);
  std::string refusal = getRefusal(node, handler != nullptr);
  if (!refusal.empty()) {
    refuse(node, refusal);
    return setAll(Poison());
  }
  if (onnx::readsOnlyTypes(node))
    return setAll(Auxiliary());
  if (llvm::any_of(node.getInputs(),
                   [&](Value input) { return get<Poison>(input); })) {
    // What nothing could make of it is a reason of its own.
    if (!handler && !onnx::isEvaluable(node))
      refuse(node, "the operator has no meaning in a decoder");
    return setAll(Poison());
  }
  if (llvm::all_of(node.getInputs(),
                   [&](Value input) { return isAuxiliary(input); }))
    return setAll(Auxiliary());
  setAll(Poison());
  if (!handler) {
    refuse(node, "the operator has no meaning in a decoder");
    return;
  }
  builder.setInsertionPoint(body.getBody()->getTerminator());
  meanings[node.getResult(0)] = (this->*handler)(node);
}

LogicalResult Raiser::run() {
  builder.setInsertionPoint(graph);
  int64_t unknown = 1;
  model = ModelOp::create(
      builder, graph.getLoc(),
      builder.getStringAttr(options.name.empty() ? "model" : options.name),
      unknown, unknown, unknown, unknown, unknown, unknown, unknown,
      builder.getF16Type(),
      /*weights_digest=*/StringAttr());
  model.getBodyRegion().emplaceBlock();
  builder.setInsertionPointToEnd(&model.getBodyRegion().front());
  body = BodyOp::create(builder, graph.getLoc());
  Block &block = body.getBodyRegion().emplaceBlock();
  block.addArgument(
      RankedTensorType::get({ShapedType::kDynamic}, builder.getI32Type()),
      graph.getLoc());
  builder.setInsertionPointToEnd(&block);
  YieldOp::create(builder, graph.getLoc(), Value());

  auto fail = [&] {
    model.erase();
    return failure();
  };
  if (failed(visitInputs()))
    return fail();
  for (Operation &op : graph.front().without_terminator())
    visit(op);
  Value logits;
  if (failed(checkOutputs(logits)))
    return fail();
  return failed(finish(logits)) ? fail() : success();
}

LogicalResult Raiser::checkOutputs(Value &logits) {
  auto results = graph.front().getTerminator()->getOperands();
  llvm::Regex present("[._]([0-9]+)[._](key|value)$");
  builder.setInsertionPoint(body.getBody()->getTerminator());
  for (auto [i, result] : llvm::enumerate(results)) {
    auto name = graph.getResultAttrOfType<StringAttr>(i, onnx::kNameAttr);
    auto node = result.getDefiningOp<NodeOp>();
    if (!name || !node || get<Poison>(result))
      continue;
    SmallVector<StringRef> parts;
    if (name.getValue() == "logits") {
      if (std::optional<Features> features = getFeatures(node, result))
        logits = getRows(node, *features);
    } else if (present.match(name.getValue(), &parts)) {
      const Cache *cache = get<Cache>(result);
      if (!cache || std::to_string(cache->layer) != parts[1] ||
          cache->isKey != (parts[2] == "key"))
        refuse(node, "expected output '" + name.getValue() +
                         "' to be the past of the same layer with the new " +
                         parts[2] + "s appended");
    }
  }
  for (auto &[op, reason] : refused) {
    auto node = cast<NodeOp>(op);
    InFlightDiagnostic diagnostic = emitError(node.getLoc(), "cannot raise ")
                                    << node.getOpType() << " node '"
                                    << node.getNodeName() << "'";
    if (!node.getScope().empty())
      diagnostic << " in scope '" << node.getScope() << "'";
    diagnostic << ": " << reason;
  }
  if (!refused.empty())
    return failure();
  if (!logits)
    return emitError(graph.getLoc(),
                     "expected a graph output 'logits' that depends on "
                     "'input_ids', but there is none");
  return success();
}

LogicalResult Raiser::finish(Value logits) {
  EmbedOp embedding;
  body.walk([&](EmbedOp op) { embedding = op; });
  int64_t count = 0;
  for (const auto &[index, layer] : layers)
    if (index != count++ || !layer.appended)
      return emitError(graph.getLoc(),
                       "expected layers 0, 1, ... with attention each, "
                       "but layer ")
             << index << " is not the next one or has none";
  if (options.context > context)
    return emitError(graph.getLoc(), "expected a context of at most ")
           << context << ", what the model can do, but got " << options.context;
  int64_t hidden = cast<RankedTensorType>(embedding.getType()).getDimSize(1);
  model.setVocab(cast<RankedTensorType>(logits.getType()).getDimSize(1));
  model.setHidden(hidden);
  model.setLayers(count);
  model.setHeads(heads);
  model.setKvHeads(kvHeads);
  model.setHeadDim(headDim ? headDim : hidden);
  model.setContext(context);
  cast<YieldOp>(body.getBody()->getTerminator())
      .getLogitsMutable()
      .assign(logits);
  selectLast(logits);
  eraseUnused();
  tieWeights();
  return success();
}

/// Rows whose logits nobody asks for are dropped as early as possible: before
/// the chain of ops that ends in the logits and works row by row.
void Raiser::selectLast(Value logits) {
  OpOperand *place = nullptr;
  for (Value value = logits; Operation *op = value.getDefiningOp();) {
    if (!isa<LinearOp, RmsNormOp, LayerNormOp, ActivateOp>(op) ||
        !value.hasOneUse())
      break;
    place = &op->getOpOperand(0);
    value = place->get();
  }
  if (!place)
    place = &body.getBody()->getTerminator()->getOpOperand(0);
  builder.setInsertionPoint(place->getOwner());
  place->set(
      SelectLastOp::create(builder, place->getOwner()->getLoc(), place->get()));
}

void Raiser::eraseUnused() {
  for (Operation &op :
       llvm::make_early_inc_range(llvm::reverse(*body.getBody())))
    if (isOpTriviallyDead(&op))
      op.erase();
  for (Operation &op :
       llvm::make_early_inc_range(model.getBodyRegion().front()))
    if (isa<WeightOp, RopeTableOp>(op) &&
        SymbolTable::symbolKnownUseEmpty(&op, body))
      op.erase();
}

int64_t Raiser::findContext(int64_t limit,
                            llvm::function_ref<bool(int64_t)> works) {
  if (works(limit))
    return limit;
  int64_t low = 0; // works
  while (limit - low > 1) {
    int64_t middle = low + (limit - low) / 2;
    (works(middle) ? low : limit) = middle;
  }
  return low;
}

std::optional<double> Raiser::getNumber(Value value) {
  std::optional<double> number;
  for (Probe probe : {Probe{3, 2}, Probe{2, 7}}) {
    llvm::Expected<const onnx::Tensor *> tensor = probes.evaluate(value, probe);
    if (!tensor) {
      llvm::consumeError(tensor.takeError());
      return std::nullopt;
    }
    if ((*tensor)->size() != 1 || (number && *number != (*tensor)->at(0)))
      return std::nullopt;
    number = (*tensor)->at(0);
  }
  return number;
}

std::optional<onnx::Shape> Raiser::getIntegers(Value value) {
  std::optional<onnx::Shape> numbers;
  for (Probe probe : {Probe{3, 2}, Probe{2, 7}}) {
    llvm::Expected<const onnx::Tensor *> tensor = probes.evaluate(value, probe);
    if (!tensor) {
      llvm::consumeError(tensor.takeError());
      return std::nullopt;
    }
    if ((*tensor)->isReal())
      return std::nullopt;
    onnx::Shape found((*tensor)->integers().begin(),
                      (*tensor)->integers().end());
    if (numbers && *numbers != found)
      return std::nullopt;
    numbers = found;
  }
  return numbers;
}

namespace {
struct Raise : public pmpd::impl::RaiseBase<Raise> {
  using RaiseBase::RaiseBase;

  void runOnOperation() override {
    Settings options;
    if (ctx < 0) {
      emitError(getOperation().getLoc(),
                "expected ctx of at least 1, or 0 for the "
                "model's own, but got ")
          << ctx.getValue();
      return signalPassFailure();
    }
    options.name = name;
    options.context = ctx;
    for (auto graph :
         llvm::make_early_inc_range(getOperation().getOps<func::FuncOp>())) {
      if (graph.isExternal() || graph.getNumArguments() == 0 ||
          !graph.getArgAttr(0, onnx::kNameAttr))
        continue;
      if (failed(Raiser(graph, options).run()))
        return signalPassFailure();
      graph.erase();
    }
  }
};
} // namespace
