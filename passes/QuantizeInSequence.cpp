// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/QuantizeInSequence.h"
#include "passes/InputStatistics.h"

using namespace mlir;
using namespace pmpd;

namespace {
class SequentialRun {
public:
  SequentialRun(PrefillOp prefill, const WeightBits &weights)
      : model(cast<ModelOp>(prefill->getParentOp())), weights(weights) {
    for (auto &[weight, bits] : weights)
      precisions.insert(bits.begin(), bits.end());
    for (LinearOp layer : prefill.getRegion().getOps<LinearOp>())
      ++layersLeft[getWeight(layer)];
  }

  /// The text unquantized, then at every precision.
  std::vector<Sequence> repeat(const std::vector<Sequence> &text) const;

  /// Quantizes the weight of a layer with these inputs of all sequences, unless
  /// it is or it is not to be.
  template <typename Function>
  LogicalResult visit(LinearOp layer, const RowMatrix &inputs,
                      Function quantize);

  /// Codes of the layer's weight, which are dropped behind its last layer.
  const NestedTensor *take(LinearOp layer);

private:
  WeightOp getWeight(LinearOp layer) {
    return model.lookupSymbol<WeightOp>(layer.getWeight());
  }
  LogicalResult measure(LinearOp layer, const RowMatrix &inputs);
  InputStatistics select(const std::set<int32_t> &bits) const;

  ModelOp model;
  const WeightBits &weights;
  std::set<int32_t> precisions;
  llvm::DenseMap<WeightOp, int> layersLeft;
  llvm::DenseMap<WeightOp, NestedTensor> codes;
  NestedTensor last;
  Value measuredInput;      // What `measured` is of.
  InputStatistics measured; // At all precisions.
};
} // namespace

std::vector<Sequence>
SequentialRun::repeat(const std::vector<Sequence> &text) const {
  std::vector<Sequence> all = text;
  for (int32_t bits : precisions)
    for (const Sequence &sequence : text) {
      all.push_back(sequence);
      all.back().bits = bits;
    }
  return all;
}

LogicalResult SequentialRun::measure(LinearOp layer, const RowMatrix &inputs) {
  // Layers that share an input follow one another.
  if (layer.getInput() == measuredInput)
    return success();
  int64_t rows = inputs.rows() / (precisions.size() + 1);
  FailureOr<InputStatistics> plain =
      measureInputs(layer, inputs.topRows(rows), /*withProducts=*/false);
  if (failed(plain))
    return failure();
  measured = std::move(*plain);
  for (size_t p = 1; p <= precisions.size(); ++p) {
    FailureOr<InputStatistics::Quantized> quantized = measureQuantized(
        layer, inputs.topRows(rows), inputs.middleRows(p * rows, rows));
    if (failed(quantized))
      return failure();
    measured.quantized.push_back(std::move(*quantized));
  }
  measuredInput = layer.getInput();
  return success();
}

/// Adds `from` divided by `count`.
static void addMean(const std::vector<float> &from, int count,
                    std::vector<float> &to) {
  to.resize(from.size());
  for (size_t i = 0; i < from.size(); ++i)
    to[i] += from[i] / count;
}

InputStatistics SequentialRun::select(const std::set<int32_t> &bits) const {
  InputStatistics result;
  result.meanSquare = measured.meanSquare;
  for (int32_t wanted : bits) {
    // Precisions at which the weight is read at these bits.
    SmallVector<const InputStatistics::Quantized *> readers;
    for (auto [precision, quantized] :
         llvm::zip(precisions, measured.quantized))
      if ((bits.count(precision) ? precision : *bits.rbegin()) == wanted)
        readers.push_back(&quantized);
    InputStatistics::Quantized &mean = result.quantized.emplace_back();
    for (const InputStatistics::Quantized *reader : readers) {
      addMean(reader->products, readers.size(), mean.products);
      addMean(reader->cross, readers.size(), mean.cross);
    }
  }
  return result;
}

template <typename Function>
LogicalResult SequentialRun::visit(LinearOp layer, const RowMatrix &inputs,
                                   Function quantize) {
  WeightOp weight = getWeight(layer);
  auto found = weights.find(weight);
  if (found == weights.end() || codes.contains(weight))
    return success();
  if (failed(measure(layer, inputs)))
    return failure();
  FailureOr<NestedTensor> quantized =
      found->second == precisions ? quantize(weight, measured)
                                  : quantize(weight, select(found->second));
  if (failed(quantized))
    return failure();
  codes[weight] = std::move(*quantized);
  return success();
}

const NestedTensor *SequentialRun::take(LinearOp layer) {
  auto found = codes.find(getWeight(layer));
  if (found == codes.end())
    return nullptr;
  if (--layersLeft[found->first] > 0)
    return &found->second;
  last = std::move(found->second);
  codes.erase(found);
  return &last;
}

LogicalResult pmpd::quantizeInSequence(
    PrefillOp prefill, const std::vector<Sequence> &text,
    const WeightBits &weights,
    llvm::function_ref<FailureOr<NestedTensor>(WeightOp,
                                               const InputStatistics &)>
        quantize) {
  SequentialRun run(prefill, weights);
  std::vector<Sequence> sequences = run.repeat(text);
  InterpreterOptions options;
  options.computeLogits = false;
  options.observer = [&](LinearOp layer, const RowMatrix &inputs) {
    return run.visit(layer, inputs, quantize);
  };
  options.codes = [&](LinearOp layer) { return run.take(layer); };
  return interpret(prefill, sequences, options);
}
