// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/QuantizedStore.h"
#include "lib/Pack/Pack.h"
#include "lib/Reference/WeightReader.h"

#include "llvm/Support/Threading.h"

using namespace mlir;
using namespace pmpd;

FailureOr<QuantizedStore> QuantizedStore::create(ModelOp model,
                                                 Options options) {
  std::string error;
  std::unique_ptr<WeightFileWriter> writer =
      WeightFileWriter::create(options.path, error);
  if (!writer)
    return model.emitError(error);
  return QuantizedStore(model, std::move(options), std::move(writer));
}

FailureOr<NestedTensor> QuantizedStore::add(WeightOp weight,
                                            std::vector<int> prefixes,
                                            const InputStatistics &inputs) {
  FailureOr<WeightReader> reader = WeightReader::open(weight);
  if (failed(reader))
    return failure();
  NestedShape shape;
  shape.rows = weight.getRows();
  shape.cols = weight.getCols();
  shape.group = options.quantizer->makesCodebook ? 0 : options.group;
  shape.bits = prefixes.back();
  shape.rotated = options.quantizer->rotatesInputs;
  shape.prefixes = std::move(prefixes);
  unsigned threads =
      llvm::hardware_concurrency(options.threads).compute_thread_count();
  NestedTensor codes;
  std::string error;
  if (!quantize(*options.quantizer, reader->read(0, shape.rows).data(), inputs,
                shape, threads, codes, error))
    return emitWeightError(weight) << error;
  if (failed(store(weight, codes)))
    return failure();
  return codes;
}

LogicalResult QuantizedStore::store(WeightOp weight,
                                    const NestedTensor &codes) {
  const NestedShape &shape = codes.shape;
  MLIRContext *context = weight.getContext();
  std::string name = weight.getSymName().str(), error;
  std::optional<uint64_t> offset;
  Type element, type;
  if (options.simulate == 0) {
    element = IntegerType::get(context, 8);
    SmallVector<unsigned> prefixes(shape.prefixes.begin(),
                                   shape.prefixes.end());
    type =
        NestedType::get(context, shape.rows, shape.cols, shape.bits, prefixes,
                        Scheme::Affine, shape.group, Layout::Unpacked);
    offset = writer->addSection(
        WeightSection::nested(name, PMPD_LAYOUT_PLAIN, shape),
        pack(codes, PMPD_LAYOUT_PLAIN).data(), error);
  } else {
    element = Float32Type::get(context);
    type = RankedTensorType::get({shape.rows, shape.cols}, element);
    // Layers that are pinned have only their own bits.
    int prefix = shape.prefixIndex(options.simulate);
    if (prefix < 0)
      prefix = static_cast<int>(shape.prefixes.size()) - 1;
    offset = writer->addSection(
        WeightSection::dense(name, PMPD_F32, shape.rows, shape.cols),
        dequantize(codes, prefix).data(), error);
  }
  if (!offset)
    return emitWeightError(weight) << error;
  stored.push_back(
      {weight, type,
       SourceAttr::get(context, options.path, *offset,
                       RankedTensorType::get({shape.rows, shape.cols}, element),
                       /*transposed=*/false, /*row=*/0)});
  return success();
}

LogicalResult QuantizedStore::commit() {
  std::string error;
  if (!writer->commit(error))
    return model.emitError(error);
  for (Stored &entry : stored) {
    entry.weight.setType(entry.type);
    entry.weight.setSourceAttr(entry.source);
  }
  return success();
}
