// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Weights: initializers of the graph as pmpd.weight, each once.
#include "lib/Import/ONNX/Elements.h"
#include "passes/Raise.h"

#include "mlir/IR/TypeUtilities.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace pmpd;
using namespace pmpd::raise;
using onnx::NodeOp;

static onnx::Shape dropOnes(ArrayRef<int64_t> shape) {
  onnx::Shape kept;
  llvm::copy_if(shape, std::back_inserter(kept),
                [](int64_t size) { return size != 1; });
  return kept;
}

std::optional<WeightRef> Raiser::resolveWeight(Value value) {
  WeightRef weight;
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type || !type.hasStaticShape())
    return std::nullopt;
  weight.shape = dropOnes(type.getShape());
  while (auto node = value.getDefiningOp<NodeOp>()) {
    StringRef opType = node.getOpType();
    Value input = node.getInputs()[0];
    auto from = dyn_cast<RankedTensorType>(input.getType());
    if (!node.getDomain().empty() || !from || !from.hasStaticShape())
      return std::nullopt;
    if (opType == "Transpose" && from.getRank() == 2) {
      // Without axes of one element, two axes can only be swapped.
      if (node.getInts("perm").value_or(SmallVector<int64_t>{1, 0})[0] == 1)
        weight.transposed = !weight.transposed;
    } else if (opType == "Reshape" || opType == "Squeeze" ||
               opType == "Unsqueeze") {
      auto to = cast<RankedTensorType>(node.getResult(0).getType());
      if (dropOnes(from.getShape()) != dropOnes(to.getShape()))
        return std::nullopt;
    } else if (opType != "Identity" && opType != "Cast" &&
               opType != "Dropout") {
      return std::nullopt;
    }
    value = input;
  }
  weight.initializer = value.getDefiningOp<onnx::InitializerOp>();
  if (!weight.initializer || weight.shape.empty() || weight.shape.size() > 2 ||
      !isa<FloatType>(getElementTypeOrSelf(value.getType())))
    return std::nullopt;
  return weight;
}

/// `/model/layers.0/mlp/up_proj/MatMul` -> `model.layers.0.mlp.up_proj`; names
/// of initializers say nothing after an export.
static std::string getWeightName(NodeOp node, onnx::InitializerOp initializer) {
  StringRef name = node.getScope();
  while (name.consume_front("/"))
    ;
  if (name.empty()) {
    name = initializer.getTensorName();
    name.consume_back(".weight");
    name.consume_back(".bias");
  }
  std::string symbol;
  for (char c : name)
    symbol += c == '/'                                   ? '.'
              : llvm::isAlnum(c) || c == '.' || c == '_' ? c
                                                         : '_';
  return symbol.empty() ? "weight" : symbol;
}

FlatSymbolRefAttr Raiser::addWeight(StringRef name, Type type,
                                    SourceAttr source) {
  FlatSymbolRefAttr &symbol = weights[{source, type}];
  if (symbol)
    return symbol;
  std::string unique = name.str();
  for (unsigned i = 1; SymbolTable::lookupSymbolIn(model, unique); ++i)
    unique = (name + "_" + Twine(i)).str();
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPoint(body);
  WeightOp::create(builder, graph.getLoc(), unique, type, source,
                   IntegerAttr());
  symbol = FlatSymbolRefAttr::get(builder.getContext(), unique);
  return symbol;
}

FlatSymbolRefAttr Raiser::getWeight(NodeOp node, const WeightRef &weight,
                                    StringRef suffix) {
  onnx::InitializerOp initializer = weight.initializer;
  auto stored = cast<RankedTensorType>(initializer.getType());
  onnx::Shape storedShape = weight.shape;
  if (weight.transposed)
    std::reverse(storedShape.begin(), storedShape.end());
  auto type = weight.blocks
                  ? weight.blocks
                  : RankedTensorType::get(storedShape, stored.getElementType());
  Type element = type.getElementType();
  if (!element.isF16())
    element = builder.getF32Type();
  auto source = SourceAttr::get(builder.getContext(), initializer.getFile(),
                                initializer.getOffset(), type,
                                weight.transposed, /*row=*/0);
  return addWeight(getWeightName(node, initializer) + suffix.str(),
                   RankedTensorType::get(weight.shape, element), source);
}

FlatSymbolRefAttr Raiser::getSlice(FlatSymbolRefAttr weight, int64_t row,
                                   int64_t rows) {
  auto whole =
      cast<WeightOp>(SymbolTable::lookupSymbolIn(model, weight.getAttr()));
  SourceAttr source = whole.getSourceAttr();
  auto type = cast<RankedTensorType>(whole.getType());
  SmallVector<int64_t> shape(type.getShape());
  shape[0] = rows;
  // A matrix is sliced by its rows, a vector by its elements.
  auto slice = SourceAttr::get(builder.getContext(), source.getFile(),
                               source.getOffset(), source.getType(),
                               source.getTransposed(), source.getRow() + row);
  return addWeight((weight.getValue() + ".row" + Twine(row)).str(),
                   RankedTensorType::get(shape, type.getElementType()), slice);
}

FailureOr<FlatSymbolRefAttr> Raiser::getVector(NodeOp node, Value value,
                                               int64_t size, StringRef suffix) {
  std::optional<WeightRef> vector;
  if (isAuxiliary(value))
    vector = resolveWeight(value);
  if (!vector || vector->shape.size() != 1 || vector->shape[0] != size) {
    refuse(node, "expected a vector of " + Twine(size) +
                     " elements that is stored in the file");
    return failure();
  }
  return getWeight(node, *vector, suffix);
}

/// Whether two sources of [rows, cols] hold the same elements.
static bool isEqual(onnx::FileCache &files, SourceAttr a, SourceAttr b,
                    int64_t rows, int64_t cols) {
  int64_t width = onnx::getElementBytes(a.getType().getElementType());
  uint64_t size = rows * cols * width;
  SourceAttr sources[] = {a, b};
  StringRef bytes[2];
  for (auto [source, into] : llvm::zip(sources, bytes)) {
    llvm::Expected<StringRef> file = files.map(source.getFile());
    if (!file) {
      llvm::consumeError(file.takeError());
      return false;
    }
    if (file->size() < size ||
        file->size() - size < uint64_t(source.getOffset()))
      return false;
    into = file->substr(source.getOffset(), size);
  }
  if (a.getTransposed() == b.getTransposed())
    return bytes[0] == bytes[1];
  if (a.getTransposed())
    std::swap(bytes[0], bytes[1]);
  // In tiles, so that both are read by whole cache lines.
  constexpr int64_t tile = 32;
  for (int64_t r0 = 0; r0 < rows; r0 += tile)
    for (int64_t c0 = 0; c0 < cols; c0 += tile)
      for (int64_t r = r0; r < std::min(rows, r0 + tile); ++r)
        for (int64_t c = c0; c < std::min(cols, c0 + tile); ++c)
          if (memcmp(bytes[0].data() + (r * cols + c) * width,
                     bytes[1].data() + (c * rows + r) * width, width) != 0)
            return false;
  return true;
}

void Raiser::tieWeights() {
  EmbedOp embedding;
  body.walk([&](EmbedOp op) { embedding = op; });
  auto find = [&](FlatSymbolRefAttr symbol) {
    return cast<WeightOp>(SymbolTable::lookupSymbolIn(model, symbol.getAttr()));
  };
  WeightOp table = find(embedding.getTableAttr());
  body.walk([&](LinearOp linear) {
    WeightOp weight = find(linear.getWeightAttr());
    SourceAttr a = table.getSourceAttr(), b = weight.getSourceAttr();
    if (weight == table || weight.getType() != table.getType() ||
        a.getType().getElementType() != b.getType().getElementType() ||
        a.getType().getEncoding() || b.getType().getEncoding() ||
        b.getRow() != 0 ||
        b.getType().getNumElements() != a.getType().getNumElements() ||
        !isEqual(probes.getFiles(), a, b, table.getRows(), table.getCols()))
      return;
    linear.setWeightAttr(embedding.getTableAttr());
    if (SymbolTable::symbolKnownUseEmpty(weight, body))
      weight.erase();
  });
}
