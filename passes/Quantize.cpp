// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/Passes.h"

#include "lib/Pack/WeightFile.h"
#include "lib/Reference/WeightReader.h"
#include "passes/CalibrationText.h"
#include "passes/InputStatistics.h"
#include "passes/Model.h"
#include "passes/QuantizeInSequence.h"
#include "passes/QuantizedStore.h"
#include "passes/WeightAction.h"

#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallSet.h"
#include "llvm/Support/Threading.h"

#include <set>

using namespace mlir;

namespace pmpd {
#define GEN_PASS_DEF_QUANTIZE
#include "passes/Passes.h.inc"

namespace {
/// How linear layers use a weight.
struct Use {
  std::set<int32_t> bits; // All that they read it at.
  SmallVector<LinearOp> layers;
  std::set<std::string> inputs; // As statistics name them.

  bool isNested() const { return *bits.begin() <= PMPD_MAX_BITS; }
};
using Uses = llvm::MapVector<WeightOp, Use>;

struct Quantize : impl::QuantizeBase<Quantize> {
  using QuantizeBase::QuantizeBase;

  void runOnOperation() override {
    FailureOr<ModelOp> model = getOnlyModel(getOperation());
    if (failed(model))
      return signalPassFailure();
    FailureOr<Uses> uses = findUses(*model);
    if (failed(uses))
      return signalPassFailure();
    for (auto &[weight, use] : *uses)
      if (!use.isNested())
        setUnquantized(weight, *use.bits.rbegin());
    uses->remove_if([](auto &entry) { return !entry.second.isNested(); });
    if (uses->empty())
      return;
    if (failed(checkOptions(*uses)) || failed(quantizeAll(*model, *uses)))
      return signalPassFailure();
    if (simulate != 0)
      keepOnlySimulated(*model);
  }

  FailureOr<Uses> findUses(ModelOp model);
  LogicalResult addUses(ModelOp model, Operation *phase, ArrayRef<int32_t> bits,
                        Uses &uses);
  static void setUnquantized(WeightOp weight, int32_t bits);
  LogicalResult checkOptions(const Uses &uses);
  LogicalResult checkGroup(WeightOp weight);
  LogicalResult quantizeAll(ModelOp model, Uses &uses);
  FailureOr<InputStatistics> readStatistics(const WeightFileReader &file,
                                            WeightOp weight, const Use &use);
  void separateWeights(ModelOp model, Uses &uses);
  LogicalResult quantizeEach(ModelOp model, const Uses &uses,
                             QuantizedStore &codes);
  LogicalResult quantizeOnText(ModelOp model, const Uses &uses,
                               QuantizedStore &codes);
  FailureOr<NestedTensor> quantizeOne(WeightOp weight,
                                      const std::set<int32_t> &bits,
                                      size_t index, size_t count,
                                      const InputStatistics &inputs,
                                      QuantizedStore &codes);
  void keepOnlySimulated(ModelOp model);
};
} // namespace

FailureOr<Uses> Quantize::findUses(ModelOp model) {
  Uses uses;
  for (Operation &op : *model.getBody()) {
    if (isa<BodyOp>(op))
      return op.emitOpError("expected phases; run --pmpd-form-phases first");
    if (auto prefill = dyn_cast<PrefillOp>(op)) {
      if (failed(addUses(model, prefill, prefill.getBits(), uses)))
        return failure();
      for (auto &[input, name] : nameInputs(prefill))
        for (Operation *user : input.getUsers())
          if (auto layer = dyn_cast<LinearOp>(user))
            uses[model.lookupSymbol<WeightOp>(layer.getWeight())].inputs.insert(
                name);
    } else if (auto decode = dyn_cast<DecodeOp>(op)) {
      if (failed(addUses(model, decode, decode.getBits(), uses)))
        return failure();
    }
  }
  for (auto &[weight, use] : uses)
    if (use.isNested() && *use.bits.rbegin() > PMPD_MAX_BITS)
      return emitWeightError(weight)
             << "expected either nested bits (2 to 4) or unquantized ones (16, "
                "32) in all layers that share it, but got "
             << *use.bits.begin() << " and " << *use.bits.rbegin();
  return uses;
}

LogicalResult Quantize::addUses(ModelOp model, Operation *phase,
                                ArrayRef<int32_t> bits, Uses &uses) {
  if (bits.empty())
    return phase->emitOpError(
        "expected bits; run --pmpd-allocate-precision first");
  for (LinearOp layer : phase->getRegion(0).getOps<LinearOp>()) {
    Use &use = uses[model.lookupSymbol<WeightOp>(layer.getWeight())];
    use.layers.push_back(layer);
    if (layer.getPin())
      use.bits.insert(*layer.getPin());
    else
      use.bits.insert(bits.begin(), bits.end());
  }
  return success();
}

void Quantize::setUnquantized(WeightOp weight, int32_t bits) {
  Builder builder(weight.getContext());
  weight.setType(RankedTensorType::get({weight.getRows(), weight.getCols()},
                                       bits == 16 ? builder.getF16Type()
                                                  : builder.getF32Type()));
}

LogicalResult Quantize::checkOptions(const Uses &uses) {
  if (store.empty())
    return getOperation().emitError("expected a file to write to; set store");
  const QuantizerInfo *info = findQuantizer(quantizer.getValue());
  if (!info)
    return getOperation().emitError("expected quantizer ")
           << quantizerNames() << ", but got '" << quantizer << "'";
  if (!info->hasKernels() && simulate == 0)
    return getOperation().emitError("expected option simulate for quantizer ")
           << quantizer << ", whose codes no kernel reads";
  if (info->makesCodebook)
    return success();
  if (group <= 0 || group % PMPD_TILE_COLS != 0)
    return getOperation().emitError("expected a group that is a multiple of ")
           << +PMPD_TILE_COLS << ", but got " << group.getValue();
  // All layers that do not fit, so that one run is enough to choose a group.
  LogicalResult fits = success();
  for (auto &[weight, use] : uses)
    if (failed(checkGroup(weight)))
      fits = failure();
  return fits;
}

LogicalResult Quantize::checkGroup(WeightOp weight) {
  int64_t cols = weight.getCols();
  if (cols % group == 0)
    return success();
  InFlightDiagnostic error = emitWeightError(weight)
                             << "expected a group that divides its " << cols
                             << " columns, but got " << group.getValue();
  SmallVector<int64_t> candidates;
  for (int64_t other = PMPD_TILE_COLS; other <= cols; other += PMPD_TILE_COLS)
    if (cols % other == 0)
      candidates.push_back(other);
  if (candidates.empty())
    return error << "; no group fits, as " << cols << " is no multiple of "
                 << +PMPD_TILE_COLS;
  error << "; groups that do: ";
  llvm::interleaveComma(candidates, error);
  return error;
}

LogicalResult Quantize::quantizeAll(ModelOp model, Uses &uses) {
  separateWeights(model, uses);
  FailureOr<QuantizedStore> codes =
      QuantizedStore::create(model, {store, findQuantizer(quantizer.getValue()),
                                     group, simulate, threads});
  if (failed(codes))
    return failure();
  LogicalResult done = text.empty() ? quantizeEach(model, uses, *codes)
                                    : quantizeOnText(model, uses, *codes);
  if (failed(done))
    return failure();
  return codes->commit();
}

void Quantize::separateWeights(ModelOp model, Uses &uses) {
  SymbolTable symbols(model);
  Uses separate;
  for (auto &[weight, use] : uses) {
    WeightOp target = weight;
    std::optional<SymbolTable::UseRange> users =
        SymbolTable::getSymbolUses(weight, model);
    if (llvm::any_of(*users, [](SymbolTable::SymbolUse user) {
          return !isa<LinearOp>(user.getUser());
        })) {
      target = weight.clone();
      target.setSymName((weight.getSymName() + "_linear").str());
      StringAttr name =
          symbols.insert(target, std::next(Block::iterator(weight)));
      for (LinearOp layer : use.layers)
        layer.setWeight(name);
    }
    separate[target] = std::move(use);
  }
  uses = std::move(separate);
}

FailureOr<NestedTensor> Quantize::quantizeOne(WeightOp weight,
                                              const std::set<int32_t> &bits,
                                              size_t index, size_t count,
                                              const InputStatistics &inputs,
                                              QuantizedStore &codes) {
  FailureOr<NestedTensor> result = failure();
  getContext().executeAction<WeightAction>(
      [&] {
        result = codes.add(weight, std::vector<int>(bits.begin(), bits.end()),
                           inputs);
      },
      {IRUnit(weight.getOperation())}, index, count);
  return result;
}

LogicalResult Quantize::quantizeEach(ModelOp model, const Uses &uses,
                                     QuantizedStore &codes) {
  std::string error;
  std::unique_ptr<WeightFileReader> inputs;
  if (!statistics.empty()) {
    inputs = WeightFileReader::open(statistics, error);
    if (!inputs)
      return model.emitError(error);
    if (!inputs->verify(error))
      return model.emitError("expected statistics as they were written, but '")
             << statistics << "' is damaged; calibrate again";
  }
  size_t index = 0;
  for (auto &[weight, use] : uses) {
    FailureOr<InputStatistics> known = InputStatistics();
    if (inputs)
      known = readStatistics(*inputs, weight, use);
    if (failed(known) || failed(quantizeOne(weight, use.bits, index++,
                                            uses.size(), *known, codes)))
      return failure();
  }
  return success();
}

LogicalResult Quantize::quantizeOnText(ModelOp model, const Uses &uses,
                                       QuantizedStore &codes) {
  FailureOr<PrefillOp> prefill = getCalibrationPhase(model);
  if (failed(prefill))
    return failure();
  FailureOr<std::vector<Sequence>> sequences =
      readCalibrationText(model, text, tokenizer, tokens);
  if (failed(sequences))
    return failure();
  WeightBits weights;
  for (auto &[weight, use] : uses)
    weights[weight] = use.bits;
  llvm::DenseSet<WeightOp> done;
  auto quantizeNext = [&](WeightOp weight, const InputStatistics &inputs) {
    done.insert(weight);
    return quantizeOne(weight, weights[weight], done.size() - 1, weights.size(),
                       inputs, codes);
  };
  if (failed(quantizeInSequence(*prefill, *sequences, weights, quantizeNext)))
    return failure();
  // What decoding alone reads has inputs that the text does not show.
  for (auto &[weight, bits] : weights)
    if (!done.contains(weight) && failed(quantizeNext(weight, {})))
      return failure();
  return success();
}

/// Adds `count` numbers to those of other inputs.
static void add(const float *from, int64_t count, std::vector<float> &to) {
  to.resize(count);
  for (int64_t i = 0; i < count; ++i)
    to[i] += from[i];
}

FailureOr<InputStatistics>
Quantize::readStatistics(const WeightFileReader &file, WeightOp weight,
                         const Use &use) {
  InputStatistics result;
  bool needsProducts = findQuantizer(quantizer.getValue())->usesProducts;
  int64_t cols = weight.getCols();
  for (const std::string &name : use.inputs) {
    const WeightSection *section = file.find(name);
    if (!section || section->element != PMPD_F32 ||
        section->shape.cols != cols ||
        (section->shape.rows != 1 && section->shape.rows != cols))
      return emitWeightError(weight)
             << "expected statistics of its " << cols << " inputs in '"
             << statistics << "'; calibrate on this model";
    auto *values = reinterpret_cast<const float *>(file.data(*section));
    bool hasProducts = section->shape.rows == cols;
    if (needsProducts && !hasProducts)
      return emitWeightError(weight)
             << "expected the products of its inputs in '" << statistics
             << "', but got their squares alone; calibrate for quantizer "
             << quantizer;
    if (needsProducts)
      add(values, cols * cols, result.products);
    std::vector<float> squares(cols);
    for (int64_t i = 0; i < cols; ++i)
      squares[i] = values[hasProducts ? i * (cols + 1) : i];
    add(squares.data(), cols, result.meanSquare);
  }
  for (std::vector<float> *sums : {&result.products, &result.meanSquare})
    for (float &value : *sums)
      value /= use.inputs.size();
  return result;
}

void Quantize::keepOnlySimulated(ModelOp model) {
  model.walk([&](Operation *op) {
    if (auto prefill = dyn_cast<PrefillOp>(op))
      prefill.setBits({simulate});
    else if (auto decode = dyn_cast<DecodeOp>(op))
      decode.setBits({simulate});
    else if (auto layer = dyn_cast<LinearOp>(op))
      layer.removePinAttr();
  });
}
} // namespace pmpd
