// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Pack/Pack.h"
#include "lib/Pack/Layouts.h"
#include "pmpd/gpu_layout.h"

using namespace pmpd;

static const LayoutFunctions &functionsOf(pmpd_layout layout) {
  switch (layout) {
  case PMPD_LAYOUT_S:
    return SlicedLayout;
  case PMPD_LAYOUT_NPU:
    return NpuLayout;
  case PMPD_LAYOUT_GPU:
    return GpuLayout;
  default:
    return PlainLayout;
  }
}

static void storeHalf(uint8_t *bytes, uint16_t half) {
  bytes[0] = static_cast<uint8_t>(half);
  bytes[1] = static_cast<uint8_t>(half >> 8);
}

static uint16_t loadHalf(const uint8_t *bytes) {
  return static_cast<uint16_t>(bytes[0] | bytes[1] << 8);
}

static void packParams(const LayoutFunctions &layout, const NestedParams &rows,
                       int64_t first, int prefix, const NestedShape &whole,
                       uint8_t *bytes) {
  for (size_t i = 0; i < rows.scale.size(); ++i) {
    int64_t row = first + static_cast<int64_t>(i) / whole.groups();
    int64_t group = static_cast<int64_t>(i) % whole.groups();
    uint8_t *scale = bytes + layout.scaleOffset(whole, prefix, row, group);
    storeHalf(scale, rows.scale[i]);
    storeHalf(scale + layout.minDistance, rows.min[i]);
  }
}

static void readParams(const LayoutFunctions &layout, const NestedShape &whole,
                       int prefix, const uint8_t *bytes, NestedParams &params) {
  for (size_t i = 0; i < params.scale.size(); ++i) {
    int64_t row = static_cast<int64_t>(i) / whole.groups();
    int64_t group = static_cast<int64_t>(i) % whole.groups();
    const uint8_t *scale =
        bytes + layout.scaleOffset(whole, prefix, row, group);
    params.scale[i] = loadHalf(scale);
    params.min[i] = loadHalf(scale + layout.minDistance);
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
      layout != PMPD_LAYOUT_NPU && layout != PMPD_LAYOUT_GPU)
    return "expected layout plain (1), S (2), NPU (3) or GPU (4), but got " +
           std::to_string(layout);
  if (layout == PMPD_LAYOUT_S && shape.cols % PMPD_TILE_COLS != 0)
    return "expected a multiple of 32 columns for layout S, but got " +
           std::to_string(shape.cols) + "; use layout plain";
  if (layout == PMPD_LAYOUT_NPU &&
      (shape.group < 32 || (shape.group & (shape.group - 1)) != 0))
    return "expected groups of a power of two of at least 32 columns for "
           "layout "
           "NPU, but got " +
           std::to_string(shape.group);
  if (layout == PMPD_LAYOUT_GPU && shape.group % PMPD_GPU_GROUP_COLS != 0)
    return "expected groups of a multiple of 128 columns for layout GPU, but "
           "got " +
           std::to_string(shape.group) + "; quantize with such a group";
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
    packParams(functions, rows.params[p], first, static_cast<int>(p), whole,
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
    readParams(functions, shape, static_cast<int>(p), bytes, tensor.params[p]);
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
  readParams(functions, shape, prefix, bytes, tensor.params[0]);
  return tensor;
}
