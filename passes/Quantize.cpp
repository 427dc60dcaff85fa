// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/Passes.h"

#include "lib/Pack/Pack.h"
#include "lib/Pack/WeightFile.h"
#include "lib/Quant/Quantizer.h"
#include "lib/Reference/WeightReader.h"
#include "passes/Model.h"
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
    if (!uses->empty() &&
        (failed(checkOptions(*uses)) || failed(quantizeAll(*model, *uses))))
      signalPassFailure();
  }

  FailureOr<Uses> findUses(ModelOp model);
  LogicalResult addUses(ModelOp model, Operation *phase, ArrayRef<int32_t> bits,
                        Uses &uses);
  static void setUnquantized(WeightOp weight, int32_t bits);
  LogicalResult checkOptions(const Uses &uses);
  LogicalResult checkGroup(WeightOp weight);
  LogicalResult quantizeAll(ModelOp model, Uses &uses);
  FailureOr<InputStatistics> findStatistics(WeightFileReader *file,
                                            WeightOp weight);
  LogicalResult quantizeOne(WeightOp weight, const Use &use,
                            const InputStatistics &inputs,
                            WeightFileWriter &writer);
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
  if (!findQuantizer(quantizer.getValue())) {
    InFlightDiagnostic error = getOperation().emitError("expected quantizer ");
    llvm::interleave(
        quantizers(), [&](auto &info) { error << info.name; },
        [&] { error << " or "; });
    return error << ", but got '" << quantizer << "'";
  }
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
  std::string error;
  std::unique_ptr<WeightFileReader> inputs;
  if (!statistics.empty()) {
    inputs = WeightFileReader::open(statistics, error);
    if (!inputs)
      return model.emitError(error);
  }
  std::unique_ptr<WeightFileWriter> writer =
      WeightFileWriter::create(store, error);
  if (!writer)
    return model.emitError(error);

  SymbolTable symbols(model);
  size_t index = 0;
  for (auto &[weight, use] : uses) {
    FailureOr<InputStatistics> known = findStatistics(inputs.get(), weight);
    if (failed(known))
      return failure();
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
    LogicalResult done = failure();
    getContext().executeAction<WeightAction>(
        [&] { done = quantizeOne(target, use, *known, *writer); },
        {IRUnit(target.getOperation())}, index++, uses.size());
    if (failed(done))
      return failure();
  }
  if (!writer->commit(error))
    return model.emitError(error);
  return success();
}

FailureOr<InputStatistics> Quantize::findStatistics(WeightFileReader *file,
                                                    WeightOp weight) {
  InputStatistics inputs;
  if (!file)
    return inputs;
  const WeightSection *section = file->find(weight.getSymName().str());
  if (!section || section->element != PMPD_F32 || section->shape.rows != 1 ||
      section->shape.cols != weight.getCols())
    return emitWeightError(weight)
           << "expected statistics of its " << weight.getCols()
           << " inputs in '" << statistics << "'; calibrate on this model";
  auto *values = reinterpret_cast<const float *>(file->data(*section));
  inputs.meanSquare.assign(values, values + weight.getCols());
  return inputs;
}

LogicalResult Quantize::quantizeOne(WeightOp weight, const Use &use,
                                    const InputStatistics &inputs,
                                    WeightFileWriter &writer) {
  SmallVector<unsigned> prefixes(use.bits.begin(), use.bits.end());
  auto type = NestedType::get(weight.getContext(), weight.getRows(),
                              weight.getCols(), prefixes.back(), prefixes,
                              Scheme::Affine, group, Layout::Unpacked);
  FailureOr<WeightReader> reader = WeightReader::open(weight);
  if (failed(reader))
    return failure();

  NestedShape shape = getNestedShape(type);
  unsigned threadCount =
      llvm::hardware_concurrency(threads).compute_thread_count();
  NestedTensor codes;
  std::string error;
  if (!quantize(*findQuantizer(quantizer.getValue()),
                reader->read(0, shape.rows).data(), inputs, shape, threadCount,
                codes, error))
    return emitWeightError(weight) << error;

  std::vector<uint8_t> bytes = pack(codes, PMPD_LAYOUT_PLAIN);
  std::optional<uint64_t> offset =
      writer.addSection(WeightSection::nested(weight.getSymName().str(),
                                              PMPD_LAYOUT_PLAIN, shape),
                        bytes.data(), error);
  if (!offset)
    return emitWeightError(weight) << error;

  auto stored = RankedTensorType::get({shape.rows, shape.cols},
                                      IntegerType::get(weight.getContext(), 8));
  weight.setType(type);
  weight.setSourceAttr(SourceAttr::get(weight.getContext(), store, *offset,
                                       stored, /*transposed=*/false,
                                       /*row=*/0));
  return success();
}
} // namespace pmpd
