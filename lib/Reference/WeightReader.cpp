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
  if (auto blocks =
          dyn_cast_or_null<BlocksAttr>(source.getType().getEncoding()))
    return source.getType().getDimSize(0) *
           blocks.getCodeBytes(source.getType().getDimSize(1));
  return source.getType().getNumElements() *
         (element.getIntOrFloatBitWidth() / 8);
}

FailureOr<WeightReader::Bytes> WeightReader::map(WeightOp weight,
                                                 StringRef file, int64_t offset,
                                                 uint64_t needed) {
  uint64_t size = 0;
  std::error_code error = llvm::sys::fs::file_size(file, size);
  if (error)
    return emitWeightError(weight)
           << "cannot read '" << file << "': " << error.message();
  if (offset < 0 || static_cast<uint64_t>(offset) > size ||
      size - offset < needed)
    return emitWeightError(weight)
           << "expected " << needed << " bytes from offset " << offset
           << " of '" << file << "', but it ends at " << size
           << "; copy the file again";
  auto bytes = llvm::MemoryBuffer::getFileSlice(file, needed, offset);
  if (!bytes)
    return emitWeightError(weight)
           << "cannot read '" << file << "': " << bytes.getError().message();
  return std::move(*bytes);
}

FailureOr<WeightReader> WeightReader::open(WeightOp weight) {
  SourceAttr source = weight.getSourceAttr();
  if (!source)
    return emitWeightError(weight) << "expected a source to read values from";
  FailureOr<uint64_t> needed = getSourceBytes(weight, source);
  if (failed(needed))
    return failure();
  FailureOr<Bytes> bytes =
      map(weight, source.getFile(), source.getOffset(), *needed);
  if (failed(bytes))
    return failure();
  WeightReader reader(weight, source, std::move(*bytes));
  BlocksAttr blocks = reader.blocks;
  if (!blocks)
    return reader;
  int64_t rows = source.getType().getDimSize(0);
  int64_t width = reader.element.getIntOrFloatBitWidth() / 8;
  FailureOr<Bytes> scales =
      map(weight, blocks.getScalesFile(), blocks.getScales(),
          rows * blocks.getBlocks(reader.cols) * width);
  FailureOr<Bytes> zeros = Bytes();
  if (!blocks.getZerosFile().empty())
    zeros = map(weight, blocks.getZerosFile(), blocks.getZeros(),
                rows * blocks.getZeroBytes(reader.cols));
  if (failed(scales) || failed(zeros))
    return failure();
  reader.scales = std::move(*scales);
  reader.zeros = std::move(*zeros);
  return reader;
}

WeightReader::WeightReader(WeightOp weight, SourceAttr source, Bytes bytes)
    : rows(weight.getRows()), cols(weight.getCols()), rowStride(cols),
      colStride(1), firstElement(source.getRow()),
      element(source.getType().getElementType()), nested(weight.getNested()),
      blocks(dyn_cast_or_null<BlocksAttr>(source.getType().getEncoding())),
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

template <typename Scale>
void WeightReader::convertBlocks(int64_t begin, int64_t end, float *out) const {
  unsigned bits = blocks.getBits();
  auto code = [&](const char *row, int64_t index) {
    int64_t bit = index * bits;
    return static_cast<uint8_t>(row[bit / 8]) >> bit % 8 & ((1 << bits) - 1);
  };
  int64_t count = blocks.getBlocks(cols), size = blocks.getSize();
  for (int64_t row = begin; row < end; ++row) {
    int64_t stored = row + firstElement / rowStride;
    const char *codes =
        bytes->getBufferStart() + stored * blocks.getCodeBytes(cols);
    for (int64_t block = 0; block < count; ++block) {
      Scale scale;
      std::memcpy(&scale,
                  scales->getBufferStart() +
                      (stored * count + block) * int64_t(sizeof(Scale)),
                  sizeof(Scale));
      int zero = zeros ? code(zeros->getBufferStart() +
                                  stored * blocks.getZeroBytes(cols),
                              block)
                       : 1 << (bits - 1);
      for (int64_t col = block * size; col < std::min(cols, (block + 1) * size);
           ++col)
        *out++ = (code(codes, col) - zero) * static_cast<float>(scale);
    }
  }
}

std::vector<float> WeightReader::read(int64_t begin, int64_t end) const {
  std::vector<float> values((end - begin) * cols);
  auto readAs = [&](auto sample) {
    using Element = decltype(sample);
    if (blocks)
      convertBlocks<Element>(begin, end, values.data());
    else
      convert<Element>(begin, end, values.data());
  };
  if (element.isF16())
    readAs(Half());
  else if (element.isBF16())
    readAs(BFloat());
  else if (element.isF32())
    readAs(float());
  else
    readAs(double());
  return values;
}

NestedTensor WeightReader::readNested() const {
  return unpack(getNestedShape(nested), PMPD_LAYOUT_PLAIN,
                reinterpret_cast<const uint8_t *>(bytes->getBufferStart()));
}
