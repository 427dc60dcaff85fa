// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operators of ONNX Runtime that stand for several of ONNX: norms behind
// additions, activations and products. An attribute or input that is not known
// here may change what a node means, so that it is refused.
#include "passes/Raise.h"

#include "llvm/ADT/StringSwitch.h"

#include <cmath>

using namespace mlir;
using namespace pmpd;
using namespace pmpd::raise;
using onnx::NodeOp;

Raiser::Handler Raiser::getFusedHandler(StringRef opType) {
  return llvm::StringSwitch<Handler>(opType)
      .Case("FusedMatMul", &Raiser::raiseFusedMatMul)
      .Case("MatMulNBits", &Raiser::raiseMatMulNBits)
      .Cases({"BiasGelu", "FastGelu", "Gelu", "QuickGelu"},
             &Raiser::raiseActivation)
      .Case("GroupQueryAttention", &Raiser::raiseGroupQueryAttention)
      .Case("RotaryEmbedding", &Raiser::raiseRotaryEmbedding)
      .Case("SimplifiedLayerNormalization", &Raiser::raiseLayerNormalization)
      .Cases({"SkipLayerNormalization", "SkipSimplifiedLayerNormalization"},
             &Raiser::raiseSkipNormalization)
      .Default(nullptr);
}

bool Raiser::hasOnly(NodeOp node, ArrayRef<StringRef> attributes,
                     ArrayRef<StringRef> inputs, unsigned results) {
  for (NamedAttribute parameter : node.getParameters()) {
    StringRef name = parameter.getName();
    // What is off is no different from what is not there.
    bool isOff = node.getInt(name, 1) == 0 || node.getFloat(name, 1) == 0 ||
                 node.getString(name, "") == "NONE";
    if (llvm::is_contained(attributes, name) || isOff)
      continue;
    refuse(node, "attribute '" + name + "' is not supported");
    return false;
  }
  for (unsigned i = inputs.size(); i < node.getInputs().size(); ++i)
    if (node.getInput(i)) {
      refuse(node, "expected the inputs " + llvm::join(inputs, ", ") +
                       ", but got one more, number " + Twine(i));
      return false;
    }
  for (unsigned i = results; i < node.getNumResults(); ++i)
    if (!node.getResult(i).use_empty()) {
      refuse(node, "output number " + Twine(i) + " is not supported");
      return false;
    }
  return true;
}

Meaning Raiser::raiseSkipNormalization(NodeOp node) {
  bool centered = node.getOpType() == "SkipLayerNormalization";
  SmallVector<StringRef> inputs = {"input", "skip", "gamma"};
  if (centered)
    inputs.push_back("beta");
  unsigned last = inputs.size();
  inputs.push_back("bias");
  if (!hasOnly(node, {"epsilon"}, inputs, 4))
    return Poison();
  for (unsigned i : {1, 2})
    if (i < node.getNumResults() && !node.getResult(i).use_empty())
      return refuse(node, "the mean and the inverse deviation are not "
                          "supported as outputs");
  std::optional<Features> x = getFeatures(node, node.getInputs()[0]);
  std::optional<Features> y = getFeatures(node, node.getInputs()[1]);
  if (!x || !y)
    return Poison();
  if (Value bias = node.getInput(last)) {
    // It belongs to the product that has none yet.
    auto linear = x->view.base.getDefiningOp<LinearOp>();
    Features &product = linear && !linear.getBiasAttr() ? *x : *y;
    Meaning biased = addBias(node, product, bias);
    if (!std::holds_alternative<Features>(biased))
      return Poison();
    product = std::get<Features>(biased);
  }
  std::optional<Features> sum = combine(node, *x, *y, /*adds=*/true);
  if (!sum)
    return Poison();
  if (node.getNumResults() > 3)
    meanings[node.getResult(3)] = *sum;
  return emitNorm(node, {sum->view, node.getFloat("epsilon", 1e-12), centered},
                  node.getInput(2), centered ? node.getInput(3) : Value());
}

Meaning Raiser::raiseActivation(NodeOp node) {
  if (!hasOnly(node, {"alpha", "approximate"}, {"X", "bias"}, 1))
    return Poison();
  std::optional<Features> features = getFeatures(node, node.getInputs()[0]);
  if (!features)
    return Poison();
  Meaning operand = *features;
  if (Value bias = node.getInput(1))
    operand = addBias(node, *features, bias);
  if (!std::holds_alternative<Features>(operand))
    return Poison();
  if (node.getOpType() == "QuickGelu")
    return raiseScalar(node, operand,
                       [alpha = node.getFloat("alpha", 1.702)](double x) {
                         return x / (1 + std::exp(-alpha * x));
                       });
  bool isTanh = node.getOpType() == "FastGelu" ||
                node.getString("approximate", "none") == "tanh";
  return raiseScalar(node, operand, [=](double x) {
    double inner = std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x);
    return x / 2 * (1 + (isTanh ? std::tanh(inner) : std::erf(x * M_SQRT1_2)));
  });
}

Meaning Raiser::raiseFusedMatMul(NodeOp node) {
  if (!hasOnly(node, {"alpha", "transB"}, {"A", "B"}, 1))
    return Poison();
  Value left = node.getInputs()[0], right = node.getInputs()[1];
  double alpha = node.getFloat("alpha", 1);
  bool transposed = node.getInt("transB", 0);
  if (isAuxiliary(right) && alpha == 1)
    return multiplyWeight(node, left, right, transposed);
  const Cache *cache = get<Cache>(right);
  if (!cache || cache->view.axes.size() < 2)
    return refuse(node, "expected a product with a weight, with alpha of 1, or "
                        "with keys or values");
  Cache operand = *cache;
  operand.scale *= alpha;
  if (transposed)
    std::swap(operand.view.axes.end()[-1], operand.view.axes.end()[-2]);
  return multiplyCache(node, left, operand);
}

Meaning Raiser::raiseMatMulNBits(NodeOp node) {
  // How exact the product has to be is chosen when compiling.
  if (!hasOnly(node, {"K", "N", "accuracy_level", "bits", "block_size"},
               {"A", "B", "scales", "zero_points", "g_idx", "bias"}, 1))
    return Poison();
  if (node.getInput(4))
    return refuse(node, "input 'g_idx' is not supported");
  int64_t rows = node.getInt("N", 0), cols = node.getInt("K", 0);
  int64_t bits = node.getInt("bits", 4), size = node.getInt("block_size", 0);
  constexpr int64_t most = 1 << 28; // so that no product overflows
  if (rows < 1 || cols < 1 || (bits != 2 && bits != 4 && bits != 8) ||
      size < 8 || size % 8 != 0 || std::max({rows, cols, size}) > most)
    return refuse(node, "expected blocks of a multiple of 8 codes of 2, 4 or 8 "
                        "bits, but got " +
                            Twine(size) + " of " + Twine(bits));
  // Codes, scales and zeros.
  onnx::InitializerOp parts[3];
  for (unsigned i = 0; i < 3; ++i)
    if (Value input = node.getInput(i + 1))
      parts[i] = input.getDefiningOp<onnx::InitializerOp>();
  auto fileOf = [&](unsigned i) {
    return parts[i] ? parts[i].getFile() : StringRef();
  };
  auto offsetOf = [&](unsigned i) {
    return parts[i] ? parts[i].getOffset() : 0;
  };
  auto encoding = BlocksAttr::get(builder.getContext(), bits, size, fileOf(1),
                                  offsetOf(1), fileOf(2), offsetOf(2));
  int64_t expected[] = {encoding.getCodeBytes(cols), encoding.getBlocks(cols),
                        encoding.getZeroBytes(cols)};
  constexpr StringLiteral names[] = {"B", "scales", "zero_points"};
  for (unsigned i = 0; i < 3; ++i) {
    if (i == 2 && !node.getInput(i + 1))
      continue;
    auto type = parts[i] ? cast<RankedTensorType>(parts[i].getType())
                         : RankedTensorType();
    bool fits = type && type.getNumElements() == rows * expected[i] &&
                (i == 1 ? isa<FloatType>(type.getElementType())
                        : type.getElementType().isInteger(8));
    if (!fits)
      return refuse(node, "expected " + Twine(rows * expected[i]) +
                              (i == 1 ? " floats" : " bytes") + " for input '" +
                              names[i] + "' that are stored in the file");
  }
  Type element = cast<RankedTensorType>(parts[1].getType()).getElementType();
  WeightRef weight{parts[0],
                   /*transposed=*/false,
                   {rows, cols},
                   RankedTensorType::get({rows, cols}, element, encoding)};
  std::optional<Features> input = getFeatures(node, node.getInputs()[0]);
  return input ? emitLinear(node, *input, weight, node.getInput(5))
               : Meaning(Poison());
}
