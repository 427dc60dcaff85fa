// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/Passes.h"

#include "lib/Pack/WeightFile.h"
#include "passes/CalibrationText.h"
#include "passes/InputStatistics.h"
#include "passes/Model.h"
#include "passes/WeightAction.h"

using namespace mlir;

namespace pmpd {
#define GEN_PASS_DEF_CALIBRATE
#include "passes/Passes.h.inc"

namespace {
struct Calibrate : impl::CalibrateBase<Calibrate> {
  using CalibrateBase::CalibrateBase;

  void runOnOperation() override {
    FailureOr<ModelOp> model = getOnlyModel(getOperation());
    if (failed(model) || failed(checkOptions()) || failed(run(*model)))
      return signalPassFailure();
    markAllAnalysesPreserved();
  }

  LogicalResult checkOptions();
  LogicalResult run(ModelOp model);
  LogicalResult writeInput(LinearOp layer, StringRef name,
                           const RowMatrix &input, WeightFileWriter &writer);
};
} // namespace

LogicalResult Calibrate::checkOptions() {
  for (auto *option : {&text, &tokenizer, &output})
    if (option->empty())
      return getOperation().emitError("expected a file for option ")
             << option->ArgStr;
  if (tokens < 2)
    return getOperation().emitError("expected at least 2 tokens, but got ")
           << tokens.getValue();
  return success();
}

LogicalResult Calibrate::run(ModelOp model) {
  FailureOr<PrefillOp> prefill = getCalibrationPhase(model);
  if (failed(prefill))
    return failure();
  FailureOr<std::vector<Sequence>> sequences =
      readCalibrationText(model, text, tokenizer, tokens);
  if (failed(sequences))
    return failure();
  std::string error;
  std::unique_ptr<WeightFileWriter> writer =
      WeightFileWriter::create(output, error);
  if (!writer)
    return model.emitError(error);
  llvm::MapVector<Value, std::string> names = nameInputs(*prefill);
  size_t written = 0;
  InterpreterOptions options;
  options.computeLogits = false;
  options.observer = [&](LinearOp layer, const RowMatrix &input) {
    // Inputs come in the order of their names, perhaps more than once.
    if (written == names.size() ||
        names.begin()[written].first != layer.getInput())
      return success();
    LogicalResult done = failure();
    getContext().executeAction<WeightAction>(
        [&] {
          done =
              writeInput(layer, names.begin()[written].second, input, *writer);
        },
        {IRUnit(layer.getOperation())}, written, names.size());
    ++written;
    return done;
  };
  if (failed(interpret(*prefill, *sequences, options)))
    return failure();
  if (!writer->commit(error))
    return model.emitError(error);
  return success();
}

LogicalResult Calibrate::writeInput(LinearOp layer, StringRef name,
                                    const RowMatrix &input,
                                    WeightFileWriter &writer) {
  FailureOr<InputStatistics> measured = measureInputs(layer, input, products);
  if (failed(measured))
    return failure();
  std::string error;
  if (!writer.addSection(
          WeightSection::dense(name.str(), PMPD_F32,
                               products ? input.cols() : 1, input.cols()),
          (products ? measured->products : measured->meanSquare).data(), error))
    return layer.emitError(error);
  return success();
}
} // namespace pmpd
