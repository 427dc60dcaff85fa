// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What values of an ONNX graph mean at the level of a decoder: the domain of
// the abstract interpretation that raising is.
#ifndef PASSES_RAISEMEANING_H
#define PASSES_RAISEMEANING_H

#include "dialects/PMPD/PMPD.h"
#include "lib/Import/ONNX/Tensor.h"

#include <functional>
#include <variant>

namespace pmpd::raise {

/// A factor of an axis: the tokens of the chunk, all tokens up to its end, or
/// `size` columns that are `stride` apart (0: the same column again).
struct Atom {
  enum Kind { Row, Total, Column } kind;
  int64_t size = 0;
  int64_t stride = 0;

  bool operator==(const Atom &other) const {
    return kind == other.kind && size == other.size && stride == other.stride;
  }
};

/// Factors from outer to inner; none for an axis of one element.
using Axis = llvm::SmallVector<Atom, 2>;

/// An ONNX tensor as a rearrangement of `base`, tensor<?xN>, whose columns
/// start at `offset`.
struct View {
  mlir::Value base;
  int64_t offset = 0;
  llvm::SmallVector<Axis, 4> axes;
};

/// A dimension of a result at the level of views: `size` for a constant, rows
/// times `size`, or all tokens.
struct Dim {
  enum Kind { Row, Total, Constant, Other } kind;
  int64_t size = 0;
};

/// Elements of an axis of columns.
int64_t getColumns(const Axis &axis);
/// Offsets of the elements of an axis of columns, in their order.
llvm::SmallVector<int64_t> getOffsets(const Axis &axis);
/// Whether an axis is `size` adjacent columns.
bool isColumnRun(const Axis &axis, int64_t size);
/// Position of the axis of rows; none if there is not exactly one.
std::optional<size_t> findRows(const View &view);
bool isSameLayout(const View &left, const View &right);

/// Each returns none if the rearrangement is not a view.
std::optional<View> reshapeView(const View &view, llvm::ArrayRef<Dim> dims);
std::optional<View> transposeView(const View &view,
                                  llvm::ArrayRef<int64_t> permutation);
std::optional<View> expandView(const View &view, llvm::ArrayRef<Dim> dims);
std::optional<View> sliceView(const View &view, int64_t axis,
                              onnx::SliceRange range);
/// Takes element `index` of an axis of columns and drops the axis.
std::optional<View> indexView(const View &view, int64_t axis, int64_t index);

/// A function of one number; null is the identity.
using Function = std::function<double(double)>;
inline double call(const Function &function, double x) {
  return function ? function(x) : x;
}
/// x -> outer(inner(x)).
Function compose(Function outer, Function inner);

/// The factor of a function that only scales; none for others.
std::optional<double> getScale(const Function &function);
bool isSquare(const Function &function);
/// The activation that `function` is, up to the rounding of its constants.
std::optional<ActivationKind> classifyActivation(const Function &function);
/// The single next to `x` if rounding of doubles explains the difference: the
/// constants of a graph are singles.
double snapToSingle(double x);
/// The eps of x -> 1 / sqrt(x + eps); none for other functions.
std::optional<double> getInverseRootEps(const Function &function);

/// Depends on constants, shapes, positions and the mask only.
struct Auxiliary {};
/// Follows from something that was refused.
struct Poison {};
struct Tokens {
  View view;
};
/// A past key or value that the graph is given.
struct Past {
  int64_t layer;
  bool isKey;
};
/// `function` of every element, or of what is left of it after subtracting the
/// mean of its row.
struct Features {
  View view;
  Function function;
  bool centered = false;
};
/// `function` of the mean over a row of the (centered) values or their squares.
struct Statistic {
  View view;
  Function function;
  bool centered;
  bool squared;
};
/// Rows divided by their root mean square or standard deviation.
struct Normalized {
  View view;
  double eps;
  bool centered;
  mlir::Value weight = {}; // null before the product with it
};
/// A sum of products of one column and one auxiliary element of its row.
struct Term {
  double factor;
  int64_t column;
  mlir::Value table;    // null: no table
  int64_t tableElement; // of a row of the table
  int64_t tableCols;    // elements of a row

  bool operator==(const Term &other) const {
    return factor == other.factor && column == other.column &&
           table == other.table && tableElement == other.tableElement;
  }
};
/// The axes of `view` up to the rows, then axes of `trailing` elements, each a
/// sum of terms. What a rotary embedding is made of.
struct Combination {
  View view;
  onnx::Shape trailing;
  std::vector<llvm::SmallVector<Term, 2>> elements;
};
/// Two elements of a head that are rotated together, with the terms that hold
/// the cosine and the sine.
struct Pair {
  int64_t first, second;
  Term cosine, sine;
};
/// All keys or values of a layer, times `scale`; the view has no base.
struct Cache {
  View view;
  int64_t layer;
  bool isKey;
  double scale = 1;
};
/// One step of masking scores: an auxiliary added, or a condition that decides
/// where a score is kept and where `filler` replaces it.
struct MaskStep {
  mlir::Value added;
  mlir::Value condition;
  bool keepWhere;
  double filler;
};
/// What masking leaves of a score: all, nothing, or another score.
enum class Sight { Seen, Hidden, Biased };
/// Products of queries and keys.
struct Scores {
  View query; // the axes without the last, on contiguous columns
  int64_t layer;
  int64_t heads, kvHeads, headDim;
  double scale;
  llvm::SmallVector<MaskStep> masks;
};
struct Probabilities {
  Scores scores;
  std::optional<int64_t> window;
};

/// Where `of` is not a number. A causal decoder has no such place.
struct NaNTest {
  mlir::Value of;
};

using Meaning = std::variant<Poison, Auxiliary, Tokens, Past, Features,
                             Statistic, Normalized, Combination, Cache, Scores,
                             Probabilities, NaNTest>;

} // namespace pmpd::raise

#endif // PASSES_RAISEMEANING_H
