// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/RaiseMeaning.h"

#include "llvm/ADT/STLExtras.h"

using namespace pmpd::raise;
using llvm::ArrayRef;
using llvm::SmallVector;

int64_t pmpd::raise::getColumns(const Axis &axis) {
  int64_t count = 1;
  for (const Atom &atom : axis)
    count *= atom.size;
  return count;
}

SmallVector<int64_t> pmpd::raise::getOffsets(const Axis &axis) {
  SmallVector<int64_t> offsets = {0};
  for (const Atom &atom : axis) {
    SmallVector<int64_t> finer;
    for (int64_t offset : offsets)
      for (int64_t i = 0; i < atom.size; ++i)
        finer.push_back(offset + i * atom.stride);
    offsets = std::move(finer);
  }
  return offsets;
}

static bool isColumns(const Axis &axis) {
  return llvm::all_of(
      axis, [](const Atom &atom) { return atom.kind == Atom::Column; });
}

bool pmpd::raise::isColumnRun(const Axis &axis, int64_t size) {
  return axis.size() == 1 && axis[0] == Atom{Atom::Column, size, 1};
}

std::optional<size_t> pmpd::raise::findRows(const View &view) {
  std::optional<size_t> found;
  for (auto [a, axis] : llvm::enumerate(view.axes)) {
    if (isColumns(axis))
      continue;
    if (found || axis.size() != 1 || axis[0].kind != Atom::Row)
      return std::nullopt;
    found = a;
  }
  return found;
}

bool pmpd::raise::isSameLayout(const View &left, const View &right) {
  return left.offset == right.offset && left.axes == right.axes;
}

/// Joins factors that step through columns like one.
static Axis merge(const Axis &axis) {
  Axis merged;
  for (const Atom &atom : axis) {
    if (!merged.empty() && atom.kind == Atom::Column &&
        merged.back().kind == Atom::Column &&
        merged.back().stride == atom.size * atom.stride)
      merged.back() = {Atom::Column, merged.back().size * atom.size,
                       atom.stride};
    else
      merged.push_back(atom);
  }
  return merged;
}

std::optional<View> pmpd::raise::reshapeView(const View &view,
                                             ArrayRef<Dim> dims) {
  // Factors in reverse: the next one is at the end.
  SmallVector<Atom> atoms;
  for (const Axis &axis : llvm::reverse(view.axes))
    atoms.append(axis.rbegin(), axis.rend());
  View result{view.base, view.offset, {}};
  for (const Dim &dim : dims) {
    Axis axis;
    if (dim.kind == Dim::Other)
      return std::nullopt;
    if (dim.kind != Dim::Constant) {
      Atom::Kind kind = dim.kind == Dim::Row ? Atom::Row : Atom::Total;
      if (atoms.empty() || atoms.back().kind != kind)
        return std::nullopt;
      axis.push_back(atoms.pop_back_val());
    }
    int64_t left = dim.kind == Dim::Total ? 1 : dim.size;
    while (left > 1) {
      if (atoms.empty() || atoms.back().kind != Atom::Column)
        return std::nullopt;
      Atom &atom = atoms.back();
      if (left % atom.size == 0) {
        left /= atom.size;
        axis.push_back(atoms.pop_back_val());
      } else if (atom.size % left == 0) {
        // The outer part belongs here, the inner one to the next dimensions.
        int64_t inner = atom.size / left;
        axis.push_back({Atom::Column, left, atom.stride * inner});
        atom.size = inner;
        left = 1;
      } else {
        return std::nullopt;
      }
    }
    result.axes.push_back(merge(axis));
  }
  if (!atoms.empty())
    return std::nullopt;
  return result;
}

std::optional<View> pmpd::raise::transposeView(const View &view,
                                               ArrayRef<int64_t> permutation) {
  SmallVector<int64_t> sorted(permutation);
  llvm::sort(sorted);
  if (ArrayRef<int64_t>(sorted) !=
      ArrayRef<int64_t>(onnx::countUp(view.axes.size())))
    return std::nullopt;
  View result{view.base, view.offset, {}};
  for (int64_t axis : permutation)
    result.axes.push_back(view.axes[axis]);
  return result;
}

std::optional<View> pmpd::raise::expandView(const View &view,
                                            ArrayRef<Dim> dims) {
  if (dims.size() < view.axes.size())
    return std::nullopt;
  View result{view.base, view.offset, {}};
  result.axes.resize(dims.size() - view.axes.size());
  result.axes.append(view.axes.begin(), view.axes.end());
  for (auto [axis, dim] : llvm::zip(result.axes, dims)) {
    if (!axis.empty() || (dim.kind == Dim::Constant && dim.size == 1))
      continue;
    if (dim.kind != Dim::Constant)
      return std::nullopt;
    axis.push_back({Atom::Column, dim.size, 0});
  }
  return result;
}

std::optional<View> pmpd::raise::sliceView(const View &view, int64_t axis,
                                           onnx::SliceRange range) {
  View result = view;
  Axis &sliced = result.axes[axis];
  if (sliced.size() != 1 || sliced[0].kind != Atom::Column || range.start < 0 ||
      range.count < 1 || range.step < 1 ||
      range.start + (range.count - 1) * range.step >= sliced[0].size)
    return std::nullopt;
  result.offset += range.start * sliced[0].stride;
  sliced[0].size = range.count;
  sliced[0].stride *= range.step;
  if (range.count == 1)
    sliced.clear();
  return result;
}

std::optional<View> pmpd::raise::indexView(const View &view, int64_t axis,
                                           int64_t index) {
  const Axis &indexed = view.axes[axis];
  if (!isColumns(indexed) || index < 0 || index >= getColumns(indexed))
    return std::nullopt;
  View result = view;
  result.offset += getOffsets(indexed)[index];
  result.axes.erase(result.axes.begin() + axis);
  return result;
}
