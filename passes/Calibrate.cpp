// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/Passes.h"

#include "lib/Pack/WeightFile.h"
#include "lib/Reference/Interpreter.h"
#include "lib/Reference/WeightReader.h"
#include "lib/Tokenizer/Tokenizer.h"
#include "passes/InputStatistics.h"
#include "passes/Model.h"
#include "passes/WeightAction.h"

#include "mlir/IR/Threading.h"
#include "llvm/Support/MemoryBuffer.h"

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
  FailureOr<std::vector<int32_t>> readTokens(ModelOp model);
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
  auto prefills = llvm::to_vector(model.getBody()->getOps<PrefillOp>());
  if (prefills.size() != 1)
    return model.emitError("expected one pmpd.prefill, but got ")
           << prefills.size() << "; run --pmpd-form-phases first";
  FailureOr<std::vector<int32_t>> ids = readTokens(model);
  if (failed(ids))
    return failure();

  std::vector<Sequence> windows;
  for (size_t begin = 0; begin < ids->size(); begin += model.getContext()) {
    size_t end = std::min<size_t>(begin + model.getContext(), ids->size());
    windows.emplace_back();
    windows.back().tokens.assign(ids->begin() + begin, ids->begin() + end);
  }
  std::string error;
  std::unique_ptr<WeightFileWriter> writer =
      WeightFileWriter::create(output, error);
  if (!writer)
    return model.emitError(error);
  llvm::MapVector<Value, std::string> names = nameInputs(prefills.front());
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
  if (failed(interpret(prefills.front(), windows, options)))
    return failure();
  if (!writer->commit(error))
    return model.emitError(error);
  return success();
}

FailureOr<std::vector<int32_t>> Calibrate::readTokens(ModelOp model) {
  std::string error;
  std::unique_ptr<Tokenizer> encoder = Tokenizer::load(tokenizer, error);
  if (!encoder)
    return model.emitError(error);
  if (encoder->vocabSize() > static_cast<int64_t>(model.getVocab()))
    return model.emitError("expected a tokenizer of at most ")
           << model.getVocab() << " tokens, but '" << tokenizer << "' has "
           << encoder->vocabSize() << "; use the model's own";
  auto buffer = llvm::MemoryBuffer::getFile(text);
  if (!buffer)
    return model.emitError("cannot read '")
           << text << "': " << buffer.getError().message();
  // Far more bytes than tokens ever take, not all of a large corpus.
  constexpr int64_t BytesPerToken = 64;
  std::vector<int32_t> ids =
      encoder->encode((*buffer)->getBuffer().take_front(tokens * BytesPerToken),
                      /*addSpecial=*/true);
  if (ids.size() < 2)
    return model.emitError("expected a text of at least 2 tokens, but '")
           << text << "' has " << ids.size();
  ids.resize(std::min<size_t>(ids.size(), tokens));
  return ids;
}

/// input^T * input / rows, of which blocks are computed at once.
static RowMatrix multiplyInputs(MLIRContext *context, const RowMatrix &input) {
  constexpr int64_t BlockCols = 128;
  int64_t cols = input.cols();
  RowMatrix result(cols, cols);
  float scale = 1.0f / input.rows();
  parallelFor(context, 0, (cols + BlockCols - 1) / BlockCols, [&](int64_t i) {
    int64_t begin = i * BlockCols, end = std::min(begin + BlockCols, cols);
    auto block = result.block(begin, 0, end - begin, end);
    block.noalias() =
        input.middleCols(begin, end - begin).transpose() * input.leftCols(end);
    block *= scale;
  });
  result.triangularView<Eigen::StrictlyUpper>() = result.transpose();
  return result;
}

LogicalResult Calibrate::writeInput(LinearOp layer, StringRef name,
                                    const RowMatrix &input,
                                    WeightFileWriter &writer) {
  if (!input.allFinite())
    return layer.emitError("expected finite inputs of the layer of weight @")
           << layer.getWeight()
           << ", but got others; the weights may be corrupt";
  RowMatrix means =
      products ? multiplyInputs(&getContext(), input)
               : RowMatrix((input.cast<double>().colwise().squaredNorm() /
                            input.rows())
                               .cast<float>());
  // Squares of finite inputs may still overflow.
  if (!means.allFinite())
    return layer.emitError("expected inputs of the layer of weight @")
           << layer.getWeight()
           << " with finite squares, but got others; the weights may be "
              "corrupt";
  std::string error;
  if (!writer.addSection(WeightSection::dense(name.str(), PMPD_F32,
                                              means.rows(), means.cols()),
                         means.data(), error))
    return layer.emitError(error);
  return success();
}
} // namespace pmpd
