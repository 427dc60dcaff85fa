// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Import/ONNX/Import.h"
#include "passes/Model.h"
#include "passes/Passes.h"

#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;

namespace pmpd {
#define GEN_PASS_DEF_ATTACHSCHEDULER
#include "passes/Passes.h.inc"

namespace {
/// Two bits of decode with none between them, the higher first.
using Pair = std::pair<int32_t, int32_t>;

std::string outputName(Pair pair) {
  return ("logits_" + Twine(pair.first) + "_" + Twine(pair.second)).str();
}

/// Adds one network to one model.
class Attachment {
public:
  Attachment(ModelOp model, func::FuncOp graph)
      : model(model), graph(graph), builder(model->getContext()) {}

  LogicalResult run();

private:
  FailureOr<SmallVector<Pair>> getPairs();
  LogicalResult checkInputs();
  LogicalResult checkOutputs(ArrayRef<Pair> pairs);
  LogicalResult attach(Pair pair);
  FlatSymbolRefAttr getWeight(onnx::InitializerOp initializer);

  ModelOp model;
  func::FuncOp graph;
  OpBuilder builder;
  llvm::StringMap<unsigned> outputs;
  llvm::DenseMap<SourceAttr, FlatSymbolRefAttr> weights;
};

FailureOr<SmallVector<Pair>> Attachment::getPairs() {
  auto phases = model.getBody()->getOps<DecodeOp>();
  if (!llvm::hasSingleElement(phases) || (*phases.begin()).getBits().empty())
    return model.emitError("expected one pmpd.decode with bits; run "
                           "--pmpd-allocate-precision first");
  SmallVector<int32_t> bits(llvm::to_vector((*phases.begin()).getBits()));
  llvm::sort(bits, std::greater<int32_t>());
  SmallVector<Pair> pairs;
  for (size_t i = 1; i < bits.size(); ++i)
    pairs.push_back({bits[i - 1], bits[i]});
  if (pairs.empty())
    return graph.emitError()
           << "expected at least two bits of decode to switch "
              "between, but got only "
           << bits[0] << "; add bits or leave the scheduler out";
  return pairs;
}

LogicalResult Attachment::checkInputs() {
  StringRef expected[] = {"keys", "values"};
  SmallVector<StringRef> got;
  for (unsigned i = 0; i < graph.getNumArguments(); ++i)
    got.push_back(graph.getArgAttrOfType<StringAttr>(i, onnx::kNameAttr));
  if (ArrayRef(got) != ArrayRef(expected))
    return graph.emitError() << "expected the inputs keys, values, but got "
                             << (got.empty() ? "none" : llvm::join(got, ", "))
                             << "; export the scheduler with these input names";
  for (auto [argument, name] : llvm::zip(graph.getArguments(), expected)) {
    auto type = dyn_cast<RankedTensorType>(argument.getType());
    bool fits = type && type.getRank() == 4 && type.getElementType().isF32() &&
                type.getDimSize(0) == 1 &&
                type.getDimSize(1) == int64_t(model.getKvHeads()) &&
                type.isDynamicDim(2) &&
                type.getDimSize(3) == int64_t(model.getHeadDim()) &&
                type == graph.getArgument(0).getType();
    if (!fits)
      return graph.emitError()
             << "expected input '" << name << "' of f32 [1, "
             << model.getKvHeads() << ", L, " << model.getHeadDim()
             << "] with one open dimension L for the model's "
             << model.getKvHeads() << " kv_heads and head_dim "
             << model.getHeadDim() << ", but got " << argument.getType()
             << "; train the scheduler on this model";
  }
  return success();
}

LogicalResult Attachment::checkOutputs(ArrayRef<Pair> pairs) {
  for (unsigned i = 0; i < graph.getNumResults(); ++i)
    if (auto name = graph.getResultAttrOfType<StringAttr>(i, onnx::kNameAttr))
      outputs[name] = i;
  std::string expected = llvm::join(llvm::map_range(pairs, outputName), ", ");
  bool all = llvm::all_of(
      pairs, [&](Pair pair) { return outputs.contains(outputName(pair)); });
  if (!all || outputs.size() != pairs.size()) {
    SmallVector<StringRef> got(outputs.keys());
    llvm::sort(got);
    return graph.emitError()
           << "expected one output for each pair of decode's bits, " << expected
           << ", but got " << llvm::join(got, ", ")
           << "; compile the bits that the scheduler was trained for";
  }
  for (Pair pair : pairs) {
    Type result = graph.getResultTypes()[outputs[outputName(pair)]];
    auto type = dyn_cast<RankedTensorType>(result);
    if (!type || type.getRank() != 2 || type.getDimSize(0) != 1 ||
        type.getDimSize(1) < 2 || !type.getElementType().isF32())
      return graph.emitError()
             << "expected output '" << outputName(pair)
             << "' of f32 [1, classes] with at least 2 classes, but "
                "got "
             << result;
  }
  return success();
}

FlatSymbolRefAttr Attachment::getWeight(onnx::InitializerOp initializer) {
  auto stored = cast<RankedTensorType>(initializer.getType());
  // Only the order of elements matters to the function.
  auto type =
      RankedTensorType::get(stored.getNumElements(), stored.getElementType());
  auto source =
      SourceAttr::get(builder.getContext(), initializer.getFile(),
                      initializer.getOffset(), type, /*transposed=*/false,
                      /*row=*/0);
  FlatSymbolRefAttr &symbol = weights[source];
  if (symbol)
    return symbol;
  std::string name = "classifier.";
  for (char c : initializer.getTensorName())
    name += llvm::isAlnum(c) || c == '.' ? c : '_';
  std::string unique = name;
  for (unsigned i = 1; model.lookupSymbol(unique); ++i)
    unique = name + "_" + std::to_string(i);
  builder.setInsertionPointToStart(model.getBody());
  WeightOp::create(builder, initializer.getLoc(), unique, type, source,
                   IntegerAttr());
  symbol = FlatSymbolRefAttr::get(builder.getContext(), unique);
  return symbol;
}

/// Leaves only what computes result `index` of `func`.
static void keepOnly(func::FuncOp func, unsigned index) {
  Operation *last = func.front().getTerminator();
  last->setOperands({last->getOperand(index)});
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(func.front())))
    if (isOpTriviallyDead(&op))
      op.erase();
}

LogicalResult Attachment::attach(Pair pair) {
  std::string name =
      ("classifier_" + Twine(pair.first) + "_" + Twine(pair.second)).str();
  auto func = cast<func::FuncOp>(graph->clone());
  func.setName(name);
  func.setPrivate();
  func.removeResAttrsAttr();
  func.removeArgAttrsAttr();
  unsigned output = outputs[outputName(pair)];
  Type logits = graph.getResultTypes()[output];
  keepOnly(func, output);
  model->getParentOfType<ModuleOp>().push_back(func);

  Block &block = func.front();
  Location loc = func.getLoc();
  MLIRContext *context = builder.getContext();
  Type f32 = builder.getF32Type();
  int64_t heads = model.getKvHeads(), headDim = model.getHeadDim();
  auto plane =
      MemRefType::get({1, heads, int64_t(model.getContext()), headDim}, f32);
  Value keys = block.addArgument(plane, loc);
  Value values = block.addArgument(plane, loc);
  Value tokens = block.addArgument(builder.getIndexType(), loc);

  // The valid positions enter the graph as its inputs.
  builder.setInsertionPointToStart(&block);
  auto toTensor = [&](Value memref) -> Value {
    auto type = cast<MemRefType>(memref.getType());
    return bufferization::ToTensorOp::create(
        builder, loc,
        RankedTensorType::get(type.getShape(), type.getElementType()), memref,
        /*restrict=*/true);
  };
  auto toGraph = [&](Value tensor, Type type) {
    return UnrealizedConversionCastOp::create(builder, loc, type, tensor)
        .getResult(0);
  };
  for (auto [index, whole] : llvm::enumerate(ArrayRef<Value>{keys, values})) {
    OpFoldResult zero = builder.getIndexAttr(0), one = builder.getIndexAttr(1);
    OpFoldResult sizes[] = {one, builder.getIndexAttr(heads), tokens,
                            builder.getIndexAttr(headDim)};
    Value valid = memref::SubViewOp::create(
        builder, loc, whole, SmallVector<OpFoldResult>(4, zero), sizes,
        SmallVector<OpFoldResult>(4, one));
    Value input = block.getArgument(index);
    input.replaceAllUsesWith(toGraph(toTensor(valid), input.getType()));
  }

  SmallVector<Attribute> symbols;
  for (auto initializer :
       llvm::make_early_inc_range(block.getOps<onnx::InitializerOp>())) {
    auto type = cast<RankedTensorType>(initializer.getType());
    if (!type.getElementType().isF32())
      return graph.emitError()
             << "expected weight '" << initializer.getTensorName()
             << "' of f32, but got " << type
             << "; export the scheduler in float32";
    symbols.push_back(getWeight(initializer));
    Value weight =
        block.addArgument(MemRefType::get(type.getShape(), f32), loc);
    builder.setInsertionPoint(initializer);
    // As it is in the graph: the cast marks where tensors of arguments enter.
    initializer.getResult().replaceAllUsesWith(toGraph(toTensor(weight), type));
    initializer.erase();
  }

  auto shape = cast<RankedTensorType>(logits).getShape();
  Value out = block.addArgument(MemRefType::get(shape, f32), loc);
  Operation *last = block.getTerminator();
  builder.setInsertionPoint(last);
  Value result = toGraph(last->getOperand(0), logits);
  bufferization::MaterializeInDestinationOp::create(
      builder, loc, Type(), result, out, /*restrict=*/true, /*writable=*/true);
  last->setOperands({});
  block.eraseArguments(0, 2);
  func.setType(FunctionType::get(context, block.getArgumentTypes(), {}));
  func->setAttr("pmpd.bound", builder.getI64IntegerAttr(model.getContext()));

  builder.setInsertionPointToEnd(model.getBody());
  ClassifierOp::create(builder, loc, FlatSymbolRefAttr::get(context, name),
                       builder.getI32IntegerAttr(pair.first),
                       builder.getI32IntegerAttr(pair.second),
                       builder.getI32IntegerAttr(shape[1]),
                       builder.getArrayAttr(symbols), IntegerAttr(),
                       FlatSymbolRefAttr());
  return success();
}

LogicalResult Attachment::run() {
  FailureOr<SmallVector<Pair>> pairs = getPairs();
  if (failed(pairs) || failed(checkInputs()) || failed(checkOutputs(*pairs)))
    return failure();
  for (Pair pair : *pairs)
    if (failed(attach(pair)))
      return failure();
  return success();
}

struct AttachScheduler : impl::AttachSchedulerBase<AttachScheduler> {
  using AttachSchedulerBase::AttachSchedulerBase;

  void runOnOperation() override {
    FailureOr<ModelOp> model = getOnlyModel(getOperation());
    if (failed(model))
      return signalPassFailure();
    OwningOpRef<ModuleOp> network = onnx::importONNX(file, &getContext());
    if (!network)
      return signalPassFailure();
    func::FuncOp graph = *network->getOps<func::FuncOp>().begin();
    if (failed(Attachment(*model, graph).run()))
      signalPassFailure();
  }
};
} // namespace
} // namespace pmpd
