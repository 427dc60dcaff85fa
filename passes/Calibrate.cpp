// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/Passes.h"

#include "lib/Pack/WeightFile.h"
#include "lib/Reference/Interpreter.h"
#include "lib/Reference/WeightReader.h"
#include "lib/Tokenizer/Tokenizer.h"
#include "passes/Model.h"

#include "llvm/ADT/MapVector.h"
#include "llvm/Support/MemoryBuffer.h"

#include <cmath>

using namespace mlir;

namespace pmpd {
#define GEN_PASS_DEF_CALIBRATE
#include "passes/Passes.h.inc"

namespace {
/// Sums over the tokens that layers of one weight saw.
struct Sums {
  Eigen::RowVectorXd squares; // [cols]
  int64_t tokens = 0;
};
using Statistics = llvm::MapVector<StringRef, Sums>;

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
  static LogicalResult addInput(LinearOp layer, const RowMatrix &input,
                                Statistics &statistics);
  LogicalResult write(ModelOp model, const Statistics &statistics);
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
  Statistics statistics;
  InterpreterOptions options;
  options.computeLogits = false;
  options.observer = [&](LinearOp layer, const RowMatrix &input) {
    return addInput(layer, input, statistics);
  };
  if (failed(interpret(prefills.front(), windows, options)))
    return failure();
  return write(model, statistics);
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

LogicalResult Calibrate::addInput(LinearOp layer, const RowMatrix &input,
                                  Statistics &statistics) {
  Eigen::RowVectorXd squares = input.cast<double>().cwiseAbs2().colwise().sum();
  if (!squares.allFinite())
    return layer.emitError("expected finite inputs of the layer of weight @")
           << layer.getWeight()
           << ", but got others; the weights may be corrupt";
  Sums &sums = statistics[layer.getWeight()];
  if (sums.tokens == 0)
    sums.squares = squares;
  else
    sums.squares += squares;
  sums.tokens += input.rows();
  return success();
}

LogicalResult Calibrate::write(ModelOp model, const Statistics &statistics) {
  std::string error;
  std::unique_ptr<WeightFileWriter> writer =
      WeightFileWriter::create(output, error);
  if (!writer)
    return model.emitError(error);
  for (auto &[name, sums] : statistics) {
    Eigen::RowVectorXf means = (sums.squares / sums.tokens).cast<float>();
    if (!writer->addSection(
            WeightSection::dense(name.str(), PMPD_F32, 1, means.size()),
            means.data(), error))
      return model.emitError(error);
  }
  if (!writer->commit(error))
    return model.emitError(error);
  return success();
}
} // namespace pmpd
