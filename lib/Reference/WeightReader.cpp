// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Reference/WeightReader.h"
#include "lib/Pack/Pack.h"
#include "lib/Quant/Half.h"

#include "llvm/ADT/bit.h"
#include "llvm/Support/FileSystem.h"

#include <algorithm>
#include <cstring>

using namespace mlir;
using namespace pmpd;

namespace {
// Bits of an element type and what they mean as a float.
struct Half {
  uint16_t bits;
  operator float() const { return halfToFloat(bits); }
};
struct BFloat {
  uint16_t bits;
  operator float() const {
    return llvm::bit_cast<float>(static_cast<uint32_t>(bits) << 16);
  }
};
} // namespace

NestedShape pmpd::getNestedShape(NestedType type) {
  NestedShape shape;
  shape.rows = type.getRows();
  shape.cols = type.getCols();
  shape.group = type.getGroup();
  shape.bits = type.getBits();
  shape.prefixes.assign(type.getPrefixes().begin(), type.getPrefixes().end());
  return shape;
}

InFlightDiagnostic pmpd::emitWeightError(WeightOp weight) {
  return weight.emitError("weight @") << weight.getSymName() << ": ";
}

/// Bytes that `source` must hold for `weight`; an error if their elements
/// cannot be read as the weight's.
static FailureOr<uint64_t> getSourceBytes(WeightOp weight, SourceAttr source) {
  Type element = source.getType().getElementType();
  if (NestedType nested = weight.getNested()) {
    if (nested.getScheme() != Scheme::Affine || !element.isInteger(8))
      return emitWeightError(weight)
             << "expected an affine weight with its codes in a source of i8, "
                "but got "
             << nested << " from " << source.getType();
    return packedBytes(getNestedShape(nested), PMPD_LAYOUT_PLAIN);
  }
  if (!element.isF16() && !element.isBF16() && !element.isF32() &&
      !element.isF64())
    return emitWeightError(weight)
           << "expected a source of f16, bf16, f32 or f64, but got "
           << source.getType();
  return source.getType().getNumElements() *
         (element.getIntOrFloatBitWidth() / 8);
}

FailureOr<WeightReader> WeightReader::open(WeightOp weight) {
  SourceAttr source = weight.getSourceAttr();
  if (!source)
    return emitWeightError(weight) << "expected a source to read values from";
  FailureOr<uint64_t> needed = getSourceBytes(weight, source);
  if (failed(needed))
    return failure();
  uint64_t size = 0;
  std::error_code error = llvm::sys::fs::file_size(source.getFile(), size);
  if (error)
    return emitWeightError(weight)
           << "cannot read '" << source.getFile() << "': " << error.message();
  if (source.getOffset() < 0 ||
      static_cast<uint64_t>(source.getOffset()) > size ||
      size - source.getOffset() < *needed)
    return emitWeightError(weight)
           << "expected " << *needed << " bytes from offset "
           << source.getOffset() << " of '" << source.getFile()
           << "', but it ends at " << size << "; copy the file again";
  auto bytes = llvm::MemoryBuffer::getFileSlice(source.getFile(), *needed,
                                                source.getOffset());
  if (!bytes)
    return emitWeightError(weight) << "cannot read '" << source.getFile()
                                   << "': " << bytes.getError().message();
  return WeightReader(weight, source, std::move(*bytes));
}

WeightReader::WeightReader(WeightOp weight, SourceAttr source,
                           std::unique_ptr<llvm::MemoryBuffer> bytes)
    : rows(weight.getRows()), cols(weight.getCols()), rowStride(cols),
      colStride(1), firstElement(source.getRow()),
      element(source.getType().getElementType()), nested(weight.getNested()),
      bytes(std::move(bytes)) {
  // A slice of a vector begins at an element, one of a matrix at a row.
  if (source.getType().getRank() != 2)
    return;
  if (source.getTransposed()) {
    rowStride = 1;
    colStride = source.getType().getDimSize(1);
  }
  firstElement *= rowStride;
}

template <typename Element>
void WeightReader::convert(int64_t begin, int64_t end, float *out) const {
  // Tiles keep both the stored and the wanted order within a few cache lines
  // where one is the transposition of the other.
  constexpr int64_t Tile = 64;
  const char *first =
      bytes->getBufferStart() + firstElement * int64_t(sizeof(Element));
  for (int64_t rowTile = begin; rowTile < end; rowTile += Tile)
    for (int64_t colTile = 0; colTile < cols; colTile += Tile) {
      int64_t colEnd = std::min(colTile + Tile, cols);
      for (int64_t row = rowTile; row < std::min(rowTile + Tile, end); ++row)
        for (int64_t col = colTile; col < colEnd; ++col) {
          Element value;
          // An ONNX file aligns nothing.
          std::memcpy(&value,
                      first + (row * rowStride + col * colStride) *
                                  int64_t(sizeof(Element)),
                      sizeof(Element));
          out[(row - begin) * cols + col] = static_cast<float>(value);
        }
    }
}

std::vector<float> WeightReader::read(int64_t begin, int64_t end) const {
  std::vector<float> values((end - begin) * cols);
  if (element.isF16())
    convert<Half>(begin, end, values.data());
  else if (element.isBF16())
    convert<BFloat>(begin, end, values.data());
  else if (element.isF32())
    convert<float>(begin, end, values.data());
  else
    convert<double>(begin, end, values.data());
  return values;
}

NestedTensor WeightReader::readNested() const {
  return unpack(getNestedShape(nested), PMPD_LAYOUT_PLAIN,
                reinterpret_cast<const uint8_t *>(bytes->getBufferStart()));
}
