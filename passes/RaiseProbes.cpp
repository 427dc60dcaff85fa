// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Auxiliary values for chunks of chosen sizes.
#include "passes/Raise.h"

#include "llvm/Support/Regex.h"

using namespace mlir;
using namespace pmpd;
using namespace pmpd::raise;

Probes::Probes(func::FuncOp graph)
    : graph(graph), symbols(graph.getContext()) {}

static StringRef getInputName(func::FuncOp graph, unsigned index) {
  auto name = graph.getArgAttrOfType<StringAttr>(index, onnx::kNameAttr);
  return name ? name.getValue() : StringRef();
}

LogicalResult Probes::readInputs() {
  constexpr Probe batch = {-1, -1}, rows = {1, 0}, past = {0, 1}, all = {1, 1};
  bool hasTokens = false;
  for (BlockArgument argument : graph.getArguments()) {
    StringRef name = getInputName(graph, argument.getArgNumber());
    SmallVector<Probe> roles;
    if (name == "input_ids") {
      roles = {batch, rows};
      hasTokens = true;
    } else if (name == "position_ids") {
      roles = {batch, rows};
      positions = argument;
    } else if (name == "attention_mask") {
      roles = {batch, all};
      mask = argument;
    } else if (name.starts_with("past")) {
      roles = {batch, all, past, all};
      // Axes that are no symbols take no role.
    } else {
      continue; // refused by what reads it
    }
    auto type = dyn_cast<RankedTensorType>(argument.getType());
    if (!type || type.getRank() != static_cast<int64_t>(roles.size()))
      return emitError(graph.getLoc(), "expected input '")
             << name << "' to have " << roles.size() << " dimensions, but got "
             << argument.getType();
    for (auto [dim, role] : llvm::zip(symbols.getShape(type), roles)) {
      if (!isa<AffineSymbolExpr>(dim))
        continue;
      std::string symbol = symbols.print(dim);
      if (role.rows < 0)
        batches.insert(symbol);
      else
        this->roles.try_emplace(symbol, role);
    }
    if (name == "input_ids" && !type.isDynamicDim(1))
      return emitError(
                 graph.getLoc(),
                 "expected the sequence length of 'input_ids' to be dynamic, "
                 "but it is ")
             << type.getDimSize(1) << "; export with dynamic_axes";
  }
  if (!hasTokens)
    return emitError(graph.getLoc(),
                     "expected a graph input 'input_ids', but there is "
                     "none; only decoders can be raised");
  return success();
}

llvm::StringMap<int64_t> Probes::bind(Probe probe) const {
  llvm::StringMap<int64_t> dims;
  for (const auto &symbol : batches)
    dims[symbol.getKey()] = 1;
  for (const auto &role : roles)
    dims.try_emplace(role.getKey(), role.second.rows * probe.rows +
                                        role.second.past * probe.past);
  return dims;
}

llvm::Expected<const onnx::Tensor *> Probes::evaluate(Value value,
                                                      Probe probe) {
  auto &evaluator = evaluators[{probe.rows, probe.past}];
  if (!evaluator) {
    DenseMap<Value, onnx::Tensor> inputs;
    int64_t all = probe.rows + probe.past;
    if (mask)
      inputs[mask] = {{1, all}, onnx::Tensor::Integers(all, 1)};
    if (positions) {
      onnx::Shape numbers = onnx::countUp(all);
      inputs[positions] = {
          {1, probe.rows},
          onnx::Tensor::Integers(numbers.begin() + probe.past, numbers.end())};
    }
    evaluator = std::make_unique<onnx::Evaluator>(files, symbols, bind(probe),
                                                  std::move(inputs));
  }
  return evaluator->evaluate(value);
}

SmallVector<Dim> Probes::classify(Value value) {
  SmallVector<Dim> dims;
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type)
    return {Dim{Dim::Other}};
  // Sizes that nothing else in a model has.
  constexpr Probe first = {1009, 2003}, second = {17, 29};
  llvm::StringMap<int64_t> firstDims = bind(first), secondDims = bind(second);
  for (AffineExpr expr : symbols.getShape(type)) {
    std::optional<int64_t> a = symbols.evaluate(expr, firstDims);
    std::optional<int64_t> b = symbols.evaluate(expr, secondDims);
    if (!a || !b)
      dims.push_back({Dim::Other});
    else if (*a == *b)
      dims.push_back({Dim::Constant, *a});
    else if (*a % first.rows == 0 && *b % second.rows == 0 &&
             *a / first.rows == *b / second.rows && *a > 0)
      dims.push_back({Dim::Row, *a / first.rows});
    else if (*a == first.rows + first.past && *b == second.rows + second.past)
      dims.push_back({Dim::Total});
    else
      dims.push_back({Dim::Other});
  }
  return dims;
}
