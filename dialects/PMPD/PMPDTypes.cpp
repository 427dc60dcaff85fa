// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/PMPD/PMPD.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace pmpd;

#include "dialects/PMPD/PMPDEnums.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "dialects/PMPD/PMPDAttrs.cpp.inc"
#define GET_TYPEDEF_CLASSES
#include "dialects/PMPD/PMPDTypes.cpp.inc"

void PMPDDialect::registerTypesAndAttributes() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "dialects/PMPD/PMPDTypes.cpp.inc"
      >();
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/PMPD/PMPDAttrs.cpp.inc"
      >();
}

//===----------------------------------------------------------------------===//
// NestedType
//===----------------------------------------------------------------------===//

NestedType NestedType::withLayout(Layout layout) const {
  return get(getContext(), getRows(), getCols(), getBits(), getPrefixes(),
             getScheme(), getGroup(), layout);
}

int NestedType::getPrefixIndex(unsigned bits) const {
  auto it = llvm::find(getPrefixes(), bits);
  return it == getPrefixes().end() ? -1 : it - getPrefixes().begin();
}

/// One of the words that name the cases of an enum.
template <typename Enum>
static FailureOr<Enum> parseWord(AsmParser &parser, StringRef expected,
                                 std::optional<Enum> (*symbolize)(StringRef)) {
  SMLoc loc = parser.getCurrentLocation();
  StringRef word;
  if (parser.parseKeyword(&word))
    return failure();
  if (std::optional<Enum> value = symbolize(word))
    return *value;
  return parser.emitError(loc, "expected ") << expected << ", but got " << word;
}

// `<` rows `x` cols `,` bits = b, prefixes = [..], affine, group = g,
// layout `>`
Type NestedType::parse(AsmParser &parser) {
  SMLoc loc = parser.getCurrentLocation();
  SmallVector<int64_t, 2> shape;
  unsigned bits;
  int64_t group = 0;
  SmallVector<unsigned> prefixes;
  if (parser.parseLess() ||
      parser.parseDimensionList(shape, /*allowDynamic=*/false,
                                /*withTrailingX=*/false) ||
      parser.parseComma() || parser.parseKeyword("bits") ||
      parser.parseEqual() || parser.parseInteger(bits) || parser.parseComma() ||
      parser.parseKeyword("prefixes") || parser.parseEqual() ||
      parser.parseCommaSeparatedList(
          AsmParser::Delimiter::Square,
          [&] { return parser.parseInteger(prefixes.emplace_back()); }) ||
      parser.parseComma())
    return {};
  auto scheme =
      parseWord<Scheme>(parser, "affine or codebook", symbolizeScheme);
  if (failed(scheme) || parser.parseComma())
    return {};
  if (*scheme == Scheme::Affine &&
      (parser.parseKeyword("group") || parser.parseEqual() ||
       parser.parseInteger(group) || parser.parseComma()))
    return {};
  auto layout =
      parseWord<Layout>(parser, "unpacked, plain or s", symbolizeLayout);
  if (failed(layout) || parser.parseGreater())
    return {};
  if (shape.size() != 2) {
    parser.emitError(loc, "expected rows x cols, but got ")
        << shape.size() << " dimensions";
    return {};
  }
  return parser.getChecked<NestedType>(loc, parser.getContext(), shape[0],
                                       shape[1], bits, prefixes, *scheme, group,
                                       *layout);
}

void NestedType::print(AsmPrinter &printer) const {
  printer << "<" << getRows() << "x" << getCols() << ", bits = " << getBits()
          << ", prefixes = [";
  llvm::interleaveComma(getPrefixes(), printer.getStream());
  printer << "], " << stringifyScheme(getScheme()) << ", ";
  if (getScheme() == Scheme::Affine)
    printer << "group = " << getGroup() << ", ";
  printer << stringifyLayout(getLayout()) << ">";
}

LogicalResult NestedType::verify(function_ref<InFlightDiagnostic()> emitError,
                                 int64_t rows, int64_t cols, unsigned bits,
                                 ArrayRef<unsigned> prefixes, Scheme scheme,
                                 int64_t group, Layout layout) {
  if (rows <= 0 || cols <= 0) // C1
    return emitError() << "expected positive rows and cols, but got " << rows
                       << "x" << cols;
  if (bits < 2 || bits > 4) // C2
    return emitError() << "expected 2, 3 or 4 bits, but got " << bits;
  if (prefixes.empty() || prefixes.front() < 2 || prefixes.back() != bits ||
      !llvm::is_sorted(prefixes, std::less_equal<unsigned>())) // C3
    return emitError() << "expected prefixes that ascend from at least 2 to "
                       << bits;
  bool grouped = group > 0 && group % 32 == 0 && cols % group == 0;
  if (scheme == Scheme::Affine ? !grouped : group != 0) // C4
    return emitError() << "expected a group that is a multiple of 32 and "
                          "divides "
                       << cols << " cols, but got " << group;
  return success();
}

//===----------------------------------------------------------------------===//
// QuantizedRowsType
//===----------------------------------------------------------------------===//

LogicalResult
QuantizedRowsType::verify(function_ref<InFlightDiagnostic()> emitError,
                          int64_t cols, unsigned bits, int64_t group) {
  if (bits != 8 && bits != 16) // C1
    return emitError() << "expected 8 or 16 bits, but got " << bits;
  if (cols <= 0 || group <= 0 || group % 32 != 0 || cols % group != 0) // C2
    return emitError() << "expected a group that is a multiple of 32 and "
                          "divides "
                       << cols << " cols, but got " << group;
  return success();
}

//===----------------------------------------------------------------------===//
// BlocksAttr
//===----------------------------------------------------------------------===//

LogicalResult BlocksAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                 unsigned bits, int64_t size, StringRef,
                                 int64_t, StringRef, int64_t) {
  if ((bits != 2 && bits != 4 && bits != 8) || size <= 0 || size % 8 != 0) // C1
    return emitError() << "expected blocks of a multiple of 8 codes of 2, 4 or "
                          "8 bits, but got "
                       << size << " of " << bits;
  return success();
}

LogicalResult
BlocksAttr::verifyEncoding(ArrayRef<int64_t> shape, Type,
                           function_ref<InFlightDiagnostic()> emitError) const {
  if (shape.size() != 2) // C2
    return emitError() << "expected a matrix in blocks, but got "
                       << shape.size() << " dimensions";
  return success();
}
