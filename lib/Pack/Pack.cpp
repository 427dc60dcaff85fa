// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Pack/Pack.h"
#include "lib/Pack/Layouts.h"

using namespace pmpd;

static const LayoutFunctions &functionsOf(pmpd_layout layout) {
  switch (layout) {
  case PMPD_LAYOUT_S:
    return SlicedLayout;
  case PMPD_LAYOUT_NPU:
    return NpuLayout;
  default:
    return PlainLayout;
  }
}

std::string pmpd::layoutProblem(const NestedShape &shape, pmpd_layout layout) {
  std::string problem = shape.problem();
  if (!problem.empty())
    return problem;
  if (shape.isCodebook())
    return "expected a group of an affine weight, but got 0";
  if (shape.rotated)
    return "expected codes of the weight itself, but got rotated ones";
  if (layout != PMPD_LAYOUT_PLAIN && layout != PMPD_LAYOUT_S &&
      layout != PMPD_LAYOUT_NPU)
    return "expected layout plain (1), S (2) or NPU (3), but got " +
           std::to_string(layout);
  if (layout == PMPD_LAYOUT_S && shape.cols % PMPD_TILE_COLS != 0)
    return "expected a multiple of 32 columns for layout S, but got " +
           std::to_string(shape.cols) + "; use layout plain";
  if (layout == PMPD_LAYOUT_NPU &&
      (shape.group < 32 || (shape.group & (shape.group - 1)) != 0))
    return "expected groups of a power of two of at least 32 columns for layout "
           "NPU, but got " +
           std::to_string(shape.group);
  return "";
}

uint64_t pmpd::packedBytes(const NestedShape &shape, pmpd_layout layout) {
  return functionsOf(layout).bytes(shape);
}

void pmpd::packRows(const NestedTensor &rows, int64_t first,
                    const NestedShape &whole, pmpd_layout layout,
                    uint8_t *bytes) {
  const LayoutFunctions &functions = functionsOf(layout);
  functions.packCodes(rows, first, whole, bytes);
  for (size_t p = 0; p < rows.params.size(); ++p)
    functions.packParams(rows.params[p], first, static_cast<int>(p), whole,
                         bytes);
}

std::vector<uint8_t> pmpd::pack(const NestedTensor &tensor,
                                pmpd_layout layout) {
  std::vector<uint8_t> bytes(packedBytes(tensor.shape, layout));
  packRows(tensor, 0, tensor.shape, layout, bytes.data());
  return bytes;
}

NestedTensor pmpd::unpack(const NestedShape &shape, pmpd_layout layout,
                          const uint8_t *bytes) {
  const LayoutFunctions &functions = functionsOf(layout);
  NestedTensor tensor(shape);
  functions.readCodes(shape, shape.bits, bytes, tensor.codes);
  for (size_t p = 0; p < tensor.params.size(); ++p)
    functions.readParams(shape, static_cast<int>(p), bytes, tensor.params[p]);
  return tensor;
}

NestedTensor pmpd::readPrefix(const NestedShape &shape, int prefix,
                              pmpd_layout layout, const uint8_t *bytes) {
  const LayoutFunctions &functions = functionsOf(layout);
  NestedShape narrow = shape;
  narrow.bits = shape.prefixes[prefix];
  narrow.prefixes = {narrow.bits};
  NestedTensor tensor(narrow);
  functions.readCodes(shape, narrow.bits, bytes, tensor.codes);
  functions.readParams(shape, prefix, bytes, tensor.params[0]);
  return tensor;
}
