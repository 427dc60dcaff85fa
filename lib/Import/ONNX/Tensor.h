// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef LIB_IMPORT_ONNX_TENSOR_H
#define LIB_IMPORT_ONNX_TENSOR_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <variant>
#include <vector>

namespace pmpd::onnx {

using Shape = llvm::SmallVector<int64_t, 4>;

/// 0, 1, ... `count` - 1.
Shape countUp(int64_t count);

/// Elements of a shape; saturates instead of overflowing.
int64_t countElements(llvm::ArrayRef<int64_t> shape);

/// A concrete tensor, row-major. Every float type is held as double, every
/// integer type and bool as int64_t.
struct Tensor {
  using Reals = std::vector<double>;
  using Integers = std::vector<int64_t>;

  Shape shape;
  std::variant<Reals, Integers> elements;

  bool isReal() const { return std::holds_alternative<Reals>(elements); }
  const Reals &reals() const { return std::get<Reals>(elements); }
  const Integers &integers() const { return std::get<Integers>(elements); }
  int64_t size() const { return countElements(shape); }
  /// Element `i` as a double, whatever is held.
  double at(int64_t i) const {
    return isReal() ? reals()[i] : static_cast<double>(integers()[i]);
  }
};

/// Where the elements of a result come from: element i is element sources[i]
/// of the operand.
struct Selection {
  Shape shape;
  std::vector<int64_t> sources;

  template <typename T> std::vector<T> apply(const std::vector<T> &from) const {
    std::vector<T> to;
    to.reserve(sources.size());
    for (int64_t source : sources)
      to.push_back(from[source]);
    return to;
  }
};

/// `axis` counted from the front; none if it is not one of `rank` axes.
std::optional<int64_t> normalizeAxis(int64_t axis, int64_t rank);

/// Each of these is the operator of the same name on a tensor of shape `from`;
/// none if the arguments do not fit the shape.
std::optional<Selection> selectGather(llvm::ArrayRef<int64_t> from,
                                      int64_t axis,
                                      llvm::ArrayRef<int64_t> indexShape,
                                      llvm::ArrayRef<int64_t> indices);
std::optional<Selection> selectSlice(llvm::ArrayRef<int64_t> from,
                                     llvm::ArrayRef<int64_t> starts,
                                     llvm::ArrayRef<int64_t> ends,
                                     llvm::ArrayRef<int64_t> axes,
                                     llvm::ArrayRef<int64_t> steps);
std::optional<Selection> selectTranspose(llvm::ArrayRef<int64_t> from,
                                         llvm::ArrayRef<int64_t> permutation);
/// To exactly the shape `to`, which `from` must be broadcastable to.
std::optional<Selection> selectExpand(llvm::ArrayRef<int64_t> from,
                                      llvm::ArrayRef<int64_t> to);
std::optional<Selection> selectTile(llvm::ArrayRef<int64_t> from,
                                    llvm::ArrayRef<int64_t> repeats);

/// First and last + 1 element and step of one sliced axis of `size` elements.
struct SliceRange {
  int64_t start, count, step;
};
/// `step` must not be 0.
SliceRange clampSlice(int64_t size, int64_t start, int64_t end, int64_t step);

/// The shape that two shapes broadcast to; none if they do not.
std::optional<Shape> broadcastShapes(llvm::ArrayRef<int64_t> left,
                                     llvm::ArrayRef<int64_t> right);

/// `target` of a Reshape of `from` with 0 and -1 resolved.
std::optional<Shape> resolveReshape(llvm::ArrayRef<int64_t> from,
                                    llvm::ArrayRef<int64_t> target,
                                    bool allowZero);
std::optional<Shape> squeezeShape(llvm::ArrayRef<int64_t> from,
                                  std::optional<llvm::ArrayRef<int64_t>> axes);
std::optional<Shape> unsqueezeShape(llvm::ArrayRef<int64_t> from,
                                    llvm::ArrayRef<int64_t> axes);

/// The elements of `parts` of these shapes one after the other along `axis`.
/// All shapes must be equal but for `axis`.
template <typename T>
std::vector<T> concatenate(llvm::ArrayRef<Shape> shapes,
                           llvm::ArrayRef<const std::vector<T> *> parts,
                           int64_t axis) {
  llvm::ArrayRef<int64_t> first = shapes.front();
  int64_t outer = countElements(first.take_front(axis));
  int64_t inner = countElements(first.drop_front(axis + 1));
  std::vector<T> result;
  for (int64_t o = 0; o < outer; ++o)
    for (size_t p = 0; p < parts.size(); ++p) {
      int64_t run = shapes[p][axis] * inner;
      auto begin = parts[p]->begin() + o * run;
      result.insert(result.end(), begin, begin + run);
    }
  return result;
}

} // namespace pmpd::onnx

#endif // LIB_IMPORT_ONNX_TENSOR_H
