// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Import/ONNX/Tensor.h"

#include "llvm/Support/MathExtras.h"

#include <algorithm>
#include <limits>
#include <numeric>

using namespace pmpd::onnx;
using llvm::ArrayRef;

Shape pmpd::onnx::countUp(int64_t count) {
  Shape numbers(count);
  std::iota(numbers.begin(), numbers.end(), 0);
  return numbers;
}

int64_t pmpd::onnx::countElements(ArrayRef<int64_t> shape) {
  int64_t count = 1;
  bool overflowed = false;
  for (int64_t size : shape) {
    if (size == 0)
      return 0;
    overflowed |= llvm::MulOverflow(count, size, count) != 0;
  }
  return overflowed ? std::numeric_limits<int64_t>::max() : count;
}

/// Runs over all indices of `shape`; `step[a]` is added to the source when
/// index a grows by one.
static std::vector<int64_t> visitIndices(ArrayRef<int64_t> shape, int64_t start,
                                         ArrayRef<int64_t> steps) {
  std::vector<int64_t> sources;
  int64_t count = countElements(shape);
  sources.reserve(count);
  Shape index(shape.size(), 0);
  int64_t source = start;
  for (int64_t i = 0; i < count; ++i) {
    sources.push_back(source);
    for (size_t a = shape.size(); a-- > 0;) {
      source += steps[a];
      if (++index[a] < shape[a])
        break;
      source -= steps[a] * shape[a];
      index[a] = 0;
    }
  }
  return sources;
}

static Shape getStrides(ArrayRef<int64_t> shape) {
  Shape strides(shape.size(), 1);
  for (size_t a = shape.size(); a-- > 1;)
    strides[a - 1] = strides[a] * shape[a];
  return strides;
}

std::optional<int64_t> pmpd::onnx::normalizeAxis(int64_t axis, int64_t rank) {
  if (axis < -rank || axis >= rank)
    return std::nullopt;
  return axis < 0 ? axis + rank : axis;
}

std::optional<Selection> pmpd::onnx::selectGather(ArrayRef<int64_t> from,
                                                  int64_t axis,
                                                  ArrayRef<int64_t> indexShape,
                                                  ArrayRef<int64_t> indices) {
  std::optional<int64_t> at = normalizeAxis(axis, from.size());
  if (!at)
    return std::nullopt;
  int64_t size = from[*at];
  int64_t outer = countElements(from.take_front(*at));
  int64_t inner = countElements(from.drop_front(*at + 1));
  Selection result;
  result.shape.append(from.begin(), from.begin() + *at);
  result.shape.append(indexShape.begin(), indexShape.end());
  result.shape.append(from.begin() + *at + 1, from.end());
  result.sources.reserve(outer * indices.size() * inner);
  for (int64_t o = 0; o < outer; ++o)
    for (int64_t index : indices) {
      std::optional<int64_t> row = normalizeAxis(index, size);
      if (!row)
        return std::nullopt;
      for (int64_t i = 0; i < inner; ++i)
        result.sources.push_back((o * size + *row) * inner + i);
    }
  return result;
}

SliceRange pmpd::onnx::clampSlice(int64_t size, int64_t start, int64_t end,
                                  int64_t step) {
  auto clamp = [&](int64_t at) {
    if (at < 0)
      at = at < -size ? -1 : at + size;
    return step > 0 ? std::clamp<int64_t>(at, 0, size)
                    : std::clamp<int64_t>(at, -1, size - 1);
  };
  int64_t first = clamp(start), last = clamp(end);
  int64_t distance = step > 0 ? last - first : first - last;
  // A step beyond the size takes one element; so no overflow below.
  int64_t stride = std::min<int64_t>(
      step == std::numeric_limits<int64_t>::min() ? size : std::abs(step),
      std::max<int64_t>(size, 1));
  int64_t count = distance <= 0 ? 0 : (distance + stride - 1) / stride;
  return {first, count, step > 0 ? stride : -stride};
}

std::optional<Selection> pmpd::onnx::selectSlice(ArrayRef<int64_t> from,
                                                 ArrayRef<int64_t> starts,
                                                 ArrayRef<int64_t> ends,
                                                 ArrayRef<int64_t> axes,
                                                 ArrayRef<int64_t> steps) {
  Selection result;
  result.shape.assign(from.begin(), from.end());
  Shape strides = getStrides(from);
  int64_t start = 0;
  for (size_t i = 0; i < axes.size(); ++i) {
    std::optional<int64_t> axis = normalizeAxis(axes[i], from.size());
    if (!axis || steps[i] == 0)
      return std::nullopt;
    SliceRange range = clampSlice(from[*axis], starts[i], ends[i], steps[i]);
    start += range.start * strides[*axis];
    result.shape[*axis] = range.count;
    strides[*axis] *= range.step;
  }
  result.sources = visitIndices(result.shape, start, strides);
  return result;
}

std::optional<Selection>
pmpd::onnx::selectTranspose(ArrayRef<int64_t> from,
                            ArrayRef<int64_t> permutation) {
  if (permutation.size() != from.size())
    return std::nullopt;
  Shape strides = getStrides(from), steps;
  Selection result;
  for (int64_t axis : permutation) {
    if (axis < 0 || axis >= static_cast<int64_t>(from.size()))
      return std::nullopt;
    result.shape.push_back(from[axis]);
    steps.push_back(strides[axis]);
  }
  if (countElements(result.shape) != countElements(from))
    return std::nullopt;
  result.sources = visitIndices(result.shape, 0, steps);
  return result;
}

std::optional<Selection> pmpd::onnx::selectExpand(ArrayRef<int64_t> from,
                                                  ArrayRef<int64_t> to) {
  if (from.size() > to.size())
    return std::nullopt;
  Selection result;
  result.shape.assign(to.begin(), to.end());
  Shape strides = getStrides(from), steps(to.size(), 0);
  size_t added = to.size() - from.size();
  for (size_t a = 0; a < from.size(); ++a) {
    if (from[a] != to[added + a] && from[a] != 1)
      return std::nullopt;
    if (from[a] != 1)
      steps[added + a] = strides[a];
  }
  result.sources = visitIndices(to, 0, steps);
  return result;
}

std::optional<Selection> pmpd::onnx::selectTile(ArrayRef<int64_t> from,
                                                ArrayRef<int64_t> repeats) {
  if (repeats.size() != from.size())
    return std::nullopt;
  // A tiled axis is one of `repeats` that does not move and one that does.
  Shape strides = getStrides(from), split, steps;
  Selection result;
  for (size_t a = 0; a < from.size(); ++a) {
    if (repeats[a] < 0)
      return std::nullopt;
    result.shape.push_back(repeats[a] * from[a]);
    split.append({repeats[a], from[a]});
    steps.append({0, strides[a]});
  }
  result.sources = visitIndices(split, 0, steps);
  return result;
}

std::optional<Shape> pmpd::onnx::broadcastShapes(ArrayRef<int64_t> left,
                                                 ArrayRef<int64_t> right) {
  if (left.size() < right.size())
    std::swap(left, right);
  Shape result(left.begin(), left.end());
  size_t added = left.size() - right.size();
  for (size_t a = 0; a < right.size(); ++a) {
    int64_t &size = result[added + a];
    if (size == 1)
      size = right[a];
    else if (right[a] != 1 && right[a] != size)
      return std::nullopt;
  }
  return result;
}

std::optional<Shape> pmpd::onnx::resolveReshape(ArrayRef<int64_t> from,
                                                ArrayRef<int64_t> target,
                                                bool allowZero) {
  Shape result(target.begin(), target.end());
  int64_t *inferred = nullptr;
  int64_t known = 1;
  for (size_t a = 0; a < result.size(); ++a) {
    if (result[a] == 0 && !allowZero) {
      if (a >= from.size())
        return std::nullopt;
      result[a] = from[a];
    }
    if (result[a] == -1 && !inferred) {
      inferred = &result[a];
      continue;
    }
    if (result[a] < 0 || llvm::MulOverflow(known, result[a], known))
      return std::nullopt;
  }
  int64_t total = countElements(from);
  if (inferred) {
    if (known == 0 || total % known != 0)
      return std::nullopt;
    *inferred = total / known;
  }
  if (countElements(result) != total)
    return std::nullopt;
  return result;
}

std::optional<Shape>
pmpd::onnx::squeezeShape(ArrayRef<int64_t> from,
                         std::optional<ArrayRef<int64_t>> axes) {
  llvm::SmallVector<bool, 4> drop(from.size(), false);
  if (axes) {
    for (int64_t axis : *axes) {
      std::optional<int64_t> at = normalizeAxis(axis, from.size());
      if (!at || from[*at] != 1)
        return std::nullopt;
      drop[*at] = true;
    }
  } else {
    for (size_t a = 0; a < from.size(); ++a)
      drop[a] = from[a] == 1;
  }
  Shape result;
  for (size_t a = 0; a < from.size(); ++a)
    if (!drop[a])
      result.push_back(from[a]);
  return result;
}

std::optional<Shape> pmpd::onnx::unsqueezeShape(ArrayRef<int64_t> from,
                                                ArrayRef<int64_t> axes) {
  size_t rank = from.size() + axes.size();
  llvm::SmallVector<bool, 4> added(rank, false);
  for (int64_t axis : axes) {
    std::optional<int64_t> at = normalizeAxis(axis, rank);
    if (!at || added[*at])
      return std::nullopt;
    added[*at] = true;
  }
  Shape result;
  for (size_t a = 0; a < rank; ++a) {
    result.push_back(added[a] ? 1 : from.front());
    if (!added[a])
      from = from.drop_front();
  }
  return result;
}
