// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/InputStatistics.h"
#include "lib/Quant/Multiply.h"

#include "mlir/IR/Threading.h"
#include "llvm/ADT/StringMap.h"

using namespace mlir;
using namespace pmpd;

llvm::MapVector<Value, std::string> pmpd::nameInputs(PrefillOp prefill) {
  llvm::MapVector<Value, std::string> names;
  llvm::StringMap<int> taken;
  for (LinearOp layer : prefill.getRegion().getOps<LinearOp>()) {
    if (names.contains(layer.getInput()))
      continue;
    std::string name = layer.getWeight().str();
    if (int count = taken[layer.getWeight()]++)
      name += "." + std::to_string(count);
    names[layer.getInput()] = name;
  }
  return names;
}

/// [cols, cols], inputs^T * others / rows, threaded over blocks.
static std::vector<float> multiplyInputs(MLIRContext *context, Inputs inputs,
                                         Inputs others) {
  constexpr int64_t BlockCols = 256;
  int64_t cols = inputs.cols(), blocks = (cols + BlockCols - 1) / BlockCols;
  bool symmetric = inputs.data() == others.data();
  std::vector<float> result(cols * cols);
  MatrixView left{inputs.data(), inputs.outerStride(), 1};
  MatrixView right{others.data(), others.outerStride(), 1};
  parallelFor(context, 0, blocks, [&](int64_t i) {
    int64_t begin = i * BlockCols, count = std::min(BlockCols, cols - begin);
    int64_t first = symmetric ? begin : 0;
    multiply(left.from(0, first).transposed(), right.from(0, begin),
             cols - first, inputs.rows(), count,
             result.data() + first * cols + begin, cols);
  });
  for (int64_t i = 0; symmetric && i < cols; ++i)
    for (int64_t j = i + 1; j < cols; ++j)
      result[i * cols + j] = result[j * cols + i];
  float scale = 1.0f / inputs.rows();
  for (float &entry : result)
    entry *= scale;
  return result;
}

static LogicalResult checkFinite(LinearOp layer, Inputs inputs) {
  if (inputs.allFinite())
    return success();
  return layer.emitError("expected finite inputs of the layer of weight @")
         << layer.getWeight() << ", but got others; the weights may be corrupt";
}

/// Squares of finite inputs may still overflow.
static LogicalResult checkFinite(LinearOp layer,
                                 const std::vector<float> &means) {
  if (llvm::all_of(means, [](float value) { return std::isfinite(value); }))
    return success();
  return layer.emitError("expected inputs of the layer of weight @")
         << layer.getWeight()
         << " with finite squares, but got others; the weights may be corrupt";
}

FailureOr<InputStatistics> pmpd::measureInputs(LinearOp layer, Inputs inputs,
                                               bool withProducts) {
  if (failed(checkFinite(layer, inputs)))
    return failure();
  InputStatistics result;
  result.meanSquare.resize(inputs.cols());
  Eigen::Map<Eigen::RowVectorXf>(result.meanSquare.data(), inputs.cols()) =
      (inputs.cast<double>().colwise().squaredNorm() / inputs.rows())
          .cast<float>();
  if (withProducts)
    result.products = multiplyInputs(layer.getContext(), inputs, inputs);
  if (failed(checkFinite(layer, result.meanSquare)) ||
      failed(checkFinite(layer, result.products)))
    return failure();
  return result;
}

FailureOr<InputStatistics::Quantized>
pmpd::measureQuantized(LinearOp layer, Inputs inputs, Inputs quantized) {
  if (failed(checkFinite(layer, quantized)))
    return failure();
  MLIRContext *context = layer.getContext();
  InputStatistics::Quantized result{
      multiplyInputs(context, quantized, quantized),
      multiplyInputs(context, inputs, quantized)};
  if (failed(checkFinite(layer, result.products)) ||
      failed(checkFinite(layer, result.cross)))
    return failure();
  return result;
}
