// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/Passes.h"

#include "lib/Pack/Pack.h"
#include "lib/Pack/WeightFile.h"
#include "lib/Quant/Half.h"
#include "lib/Reference/RopeTable.h"
#include "lib/Reference/WeightReader.h"
#include "passes/Model.h"
#include "passes/WeightAction.h"

#include "llvm/ADT/StringExtras.h"

#include <cmath>

using namespace mlir;

namespace pmpd {
#define GEN_PASS_DEF_PACK
#include "passes/Passes.h.inc"

namespace {
struct Pack : impl::PackBase<Pack> {
  using PackBase::PackBase;

  void runOnOperation() override {
    FailureOr<ModelOp> model = getOnlyModel(getOperation());
    if (failed(model) || failed(checkOptions()))
      return signalPassFailure();
    dropUnused(*model);
    if (failed(write(*model)))
      signalPassFailure();
  }

  LogicalResult checkOptions();
  /// The layout that the option names.
  std::optional<Layout> getLayout() {
    std::optional<Layout> named = symbolizeLayout(layout);
    return named == Layout::Unpacked ? std::nullopt : named;
  }
  static void dropUnused(ModelOp model);
  LogicalResult write(ModelOp model);
  static LogicalResult writeTable(RopeTableOp table, WeightFileWriter &writer);
  LogicalResult writeWeight(WeightOp weight, WeightFileWriter &writer);
  LogicalResult writeNested(WeightOp weight, const WeightReader &reader,
                            WeightFileWriter &writer);
  static LogicalResult writeDense(WeightOp weight, const WeightReader &reader,
                                  WeightFileWriter &writer);
};
} // namespace

LogicalResult Pack::checkOptions() {
  if (output.empty())
    return getOperation().emitError("expected a file to write to; set output");
  if (!getLayout())
    return getOperation().emitError(
               "expected layout s, plain, npu or gpu, but got '")
           << layout << "'";
  return success();
}

void Pack::dropUnused(ModelOp model) {
  for (Operation &op : llvm::make_early_inc_range(*model.getBody()))
    if (isa<WeightOp, RopeTableOp>(op) &&
        SymbolTable::symbolKnownUseEmpty(&op, model))
      op.erase();
}

LogicalResult Pack::write(ModelOp model) {
  std::string error;
  std::unique_ptr<WeightFileWriter> writer =
      WeightFileWriter::create(output, error);
  if (!writer)
    return model.emitError(error);
  auto weights = llvm::to_vector(model.getBody()->getOps<WeightOp>());
  for (auto [i, weight] : llvm::enumerate(weights)) {
    LogicalResult written = failure();
    getContext().executeAction<WeightAction>(
        [&, weight = weight] { written = writeWeight(weight, *writer); },
        {IRUnit(weight.getOperation())}, i, weights.size());
    if (failed(written))
      return failure();
  }
  // After the weights, so that those of all layers lie equally far apart.
  for (auto table : model.getBody()->getOps<RopeTableOp>())
    if (failed(writeTable(table, *writer)))
      return failure();
  std::optional<Digest> digest = writer->commit(error);
  if (!digest)
    return model.emitError(error);
  model.setWeightsDigest(llvm::toHex(*digest, /*LowerCase=*/true));
  return success();
}

LogicalResult Pack::writeTable(RopeTableOp table, WeightFileWriter &writer) {
  std::vector<float> values = computeRopeTable(table);
  std::string error;
  std::optional<uint64_t> offset = writer.addSection(
      WeightSection::dense(table.getSymName().str(), PMPD_F32,
                           table->getParentOfType<ModelOp>().getContext(),
                           2 * table.getInvFreq().size()),
      values.data(), error);
  if (!offset)
    return table.emitError(error);
  table.setAt(*offset);
  return success();
}

LogicalResult Pack::writeWeight(WeightOp weight, WeightFileWriter &writer) {
  FailureOr<WeightReader> reader = WeightReader::open(weight);
  if (failed(reader))
    return failure();
  return weight.getNested() ? writeNested(weight, *reader, writer)
                            : writeDense(weight, *reader, writer);
}

LogicalResult Pack::writeNested(WeightOp weight, const WeightReader &reader,
                                WeightFileWriter &writer) {
  NestedType type = weight.getNested();
  if (type.getLayout() != Layout::Unpacked)
    return emitWeightError(weight)
           << "expected an unpacked weight, but got " << type;
  // Both are numbered as pmpd_layout.
  auto target = static_cast<pmpd_layout>(*getLayout());
  std::vector<uint8_t> bytes = pack(reader.readNested(), target);
  std::string error;
  std::optional<uint64_t> offset =
      writer.addSection(WeightSection::nested(weight.getSymName().str(), target,
                                              getNestedShape(type)),
                        bytes.data(), error);
  if (!offset)
    return emitWeightError(weight) << error;
  weight.setType(type.withLayout(*getLayout()));
  weight.setAt(*offset);
  return success();
}

/// Appends rows of `element` to the open section; values [rows, cols], the
/// first row is `begin` of the weight.
static LogicalResult appendRows(WeightOp weight, pmpd_element element,
                                ArrayRef<float> values, int64_t begin,
                                WeightFileWriter &writer) {
  float limit =
      element == PMPD_F16 ? MaxHalf : std::numeric_limits<float>::max();
  for (auto [i, value] : llvm::enumerate(values))
    // The negation also catches NaN.
    if (!(std::fabs(value) <= limit))
      return emitWeightError(weight)
             << "expected values from " << -limit << " to " << limit
             << ", but row " << begin + i / weight.getCols() << ", column "
             << i % weight.getCols() << " is " << value;
  std::string error;
  bool appended;
  if (element == PMPD_F16) {
    std::vector<uint16_t> halves(values.size());
    llvm::transform(values, halves.begin(), floatToHalf);
    appended = writer.append(halves.data(), 2 * halves.size(), error);
  } else {
    appended = writer.append(values.data(), 4 * values.size(), error);
  }
  if (!appended)
    return emitWeightError(weight) << error;
  return success();
}

LogicalResult Pack::writeDense(WeightOp weight, const WeightReader &reader,
                               WeightFileWriter &writer) {
  auto type = cast<RankedTensorType>(weight.getType());
  if (type.getRank() == 1)
    type = type.clone(Float32Type::get(weight.getContext()));
  pmpd_element element = type.getElementType().isF16() ? PMPD_F16 : PMPD_F32;
  std::string error;
  if (!writer.begin(WeightSection::dense(weight.getSymName().str(), element,
                                         reader.getRows(), reader.getCols()),
                    error))
    return emitWeightError(weight) << error;
  constexpr int64_t BlockElements = 1 << 20;
  int64_t blockRows = std::max<int64_t>(1, BlockElements / reader.getCols());
  for (int64_t begin = 0; begin < reader.getRows(); begin += blockRows) {
    int64_t end = std::min(begin + blockRows, reader.getRows());
    if (failed(appendRows(weight, element, reader.read(begin, end), begin,
                          writer)))
      return failure();
  }
  std::optional<uint64_t> offset = writer.end(error);
  if (!offset)
    return emitWeightError(weight) << error;
  weight.setType(type);
  weight.setAt(*offset);
  return success();
}
} // namespace pmpd
