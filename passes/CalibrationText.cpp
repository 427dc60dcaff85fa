// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/CalibrationText.h"
#include "lib/Tokenizer/Tokenizer.h"

#include "llvm/Support/MemoryBuffer.h"

using namespace mlir;

FailureOr<std::vector<pmpd::Sequence>>
pmpd::readCalibrationText(ModelOp model, StringRef text, StringRef tokenizer,
                          int64_t tokens) {
  std::string error;
  std::unique_ptr<Tokenizer> encoder = Tokenizer::load(tokenizer.str(), error);
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
  int64_t least = std::min<int64_t>(model.getContext(), tokens);
  if (static_cast<int64_t>(ids.size()) < least)
    return model.emitError("expected a text of at least ")
           << least << " tokens, but '" << text << "' has " << ids.size()
           << "; calibrate on more text, or compile for a shorter context";
  ids.resize(std::min<size_t>(ids.size(), tokens));

  std::vector<Sequence> sequences;
  for (size_t begin = 0; begin < ids.size(); begin += model.getContext()) {
    size_t end = std::min<size_t>(begin + model.getContext(), ids.size());
    sequences.emplace_back();
    sequences.back().tokens.assign(ids.begin() + begin, ids.begin() + end);
  }
  return sequences;
}

FailureOr<pmpd::PrefillOp> pmpd::getCalibrationPhase(ModelOp model) {
  auto prefills = llvm::to_vector(model.getBody()->getOps<PrefillOp>());
  if (prefills.size() != 1)
    return model.emitError("expected one pmpd.prefill, but got ")
           << prefills.size() << "; run --pmpd-form-phases first";
  return prefills.front();
}
