// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/LinalgTensors.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include <limits>

using namespace mlir;
using namespace pmpd;

Operand LinalgTensors::bind(Value tensor, RankedTensorType type) {
  Operand operand{tensor, getDims(type)};
  for (auto [axis, dim] : llvm::enumerate(operand.dims))
    if (isa<AffineSymbolExpr>(dim) && !known.contains(dim))
      known[dim] = tensor::DimOp::create(*this, tensor, int64_t(axis));
  return operand;
}

bool LinalgTensors::areKnown(ArrayRef<AffineExpr> dims) const {
  bool all = true;
  for (AffineExpr dim : dims)
    dim.walk([&](AffineExpr part) {
      all &= !isa<AffineSymbolExpr>(part) || known.contains(part);
    });
  return all;
}

RankedTensorType LinalgTensors::getType(ArrayRef<AffineExpr> dims) {
  SmallVector<int64_t> shape;
  for (AffineExpr dim : dims) {
    auto size = dyn_cast<AffineConstantExpr>(dim);
    shape.push_back(size ? size.getValue() : ShapedType::kDynamic);
  }
  return RankedTensorType::get(shape, getF32Type());
}

Value LinalgTensors::constant(double value) {
  return arith::ConstantOp::create(*this, getF32FloatAttr(value));
}

Value LinalgTensors::size(AffineExpr dim) {
  if (auto constant = dyn_cast<AffineConstantExpr>(dim))
    return arith::ConstantIndexOp::create(*this, constant.getValue());
  if (isa<AffineSymbolExpr>(dim))
    return known.lookup(dim);
  auto binary = cast<AffineBinaryOpExpr>(dim);
  Value left = size(binary.getLHS()), right = size(binary.getRHS());
  switch (dim.getKind()) {
  case AffineExprKind::Add:
    return arith::AddIOp::create(*this, left, right);
  case AffineExprKind::Mul:
    return arith::MulIOp::create(*this, left, right);
  case AffineExprKind::FloorDiv:
    return arith::FloorDivSIOp::create(*this, left, right);
  case AffineExprKind::CeilDiv:
    return arith::CeilDivSIOp::create(*this, left, right);
  default:
    return arith::RemSIOp::create(*this, left, right);
  }
}

SmallVector<OpFoldResult> LinalgTensors::sizes(ArrayRef<AffineExpr> dims) {
  SmallVector<OpFoldResult> result;
  for (AffineExpr dim : dims) {
    if (auto constant = dyn_cast<AffineConstantExpr>(dim))
      result.push_back(getIndexAttr(constant.getValue()));
    else
      result.push_back(size(dim));
  }
  return result;
}

Value LinalgTensors::count(ArrayRef<AffineExpr> dims) {
  AffineExpr product = symbols.getConstant(1);
  for (AffineExpr dim : dims)
    product = product * dim;
  Value whole = arith::IndexCastOp::create(*this, getI64Type(), size(product));
  return arith::SIToFPOp::create(*this, getF32Type(), whole);
}

Value LinalgTensors::empty(ArrayRef<AffineExpr> dims) {
  return tensor::EmptyOp::create(*this, sizes(dims), getF32Type());
}

Value LinalgTensors::filled(ArrayRef<AffineExpr> dims, double value) {
  return linalg::FillOp::create(*this, constant(value), empty(dims))
      .getResult(0);
}

AffineExpr LinalgTensors::place(AffineExpr axis, AffineExpr dim,
                                unsigned loop) {
  if (axis == dim)
    return getAffineDimExpr(loop);
  return axis == 1 ? getAffineConstantExpr(0) : AffineExpr();
}

Operand LinalgTensors::map(ArrayRef<Operand> operands,
                           ArrayRef<AffineExpr> dims, Scalar body) {
  SmallVector<AffineMap> maps;
  SmallVector<Value> inputs;
  for (const Operand &operand : operands) {
    int64_t missing = dims.size() - operand.rank();
    SmallVector<AffineExpr> places;
    for (auto [axis, dim] : llvm::enumerate(operand.dims)) {
      int64_t loop = missing + axis;
      places.push_back(loop < 0 ? AffineExpr() : place(dim, dims[loop], loop));
      if (!places.back())
        return {};
    }
    maps.push_back(AffineMap::get(dims.size(), 0, places, getContext()));
    inputs.push_back(operand.value);
  }
  maps.push_back(getMultiDimIdentityMap(dims.size()));
  SmallVector<utils::IteratorType> loops(dims.size(),
                                         utils::IteratorType::parallel);
  auto op = linalg::GenericOp::create(
      *this, getType(dims), inputs, empty(dims), maps, loops,
      [&](OpBuilder &inner, Location loc, ValueRange elements) {
        OpBuilder::InsertionGuard guard(*this);
        setInsertionPointToEnd(inner.getInsertionBlock());
        linalg::YieldOp::create(inner, loc, body(elements.drop_back()));
      });
  return {op.getResult(0), Dims(dims)};
}

Operand LinalgTensors::reduce(const Operand &operand, ArrayRef<bool> axes,
                              Reduction kind) {
  Dims kept;
  SmallVector<AffineExpr> places;
  SmallVector<utils::IteratorType> loops;
  for (auto [axis, dim] : llvm::enumerate(operand.dims)) {
    loops.push_back(axes[axis] ? utils::IteratorType::reduction
                               : utils::IteratorType::parallel);
    if (axes[axis])
      continue;
    kept.push_back(dim);
    places.push_back(getAffineDimExpr(axis));
  }
  constexpr float infinity = std::numeric_limits<float>::infinity();
  double neutral = kind == Reduction::Sum   ? 0.0
                   : kind == Reduction::Max ? -infinity
                                            : infinity;
  AffineMap maps[] = {getMultiDimIdentityMap(operand.rank()),
                      AffineMap::get(operand.rank(), 0, places, getContext())};
  auto combine = [&](OpBuilder &inner, Location loc,
                     ValueRange elements) -> Value {
    switch (kind) {
    case Reduction::Sum:
      return arith::AddFOp::create(inner, loc, elements[1], elements[0]);
    case Reduction::Max:
      return arith::MaximumFOp::create(inner, loc, elements[1], elements[0]);
    case Reduction::Min:
      return arith::MinimumFOp::create(inner, loc, elements[1], elements[0]);
    }
    llvm_unreachable("every reduction is above");
  };
  auto op = linalg::GenericOp::create(
      *this, getType(kept), operand.value, filled(kept, neutral), maps, loops,
      [&](OpBuilder &inner, Location loc, ValueRange elements) {
        linalg::YieldOp::create(inner, loc, combine(inner, loc, elements));
      });
  return {op.getResult(0), kept};
}

Operand LinalgTensors::reduceKeeping(const Operand &operand,
                                     ArrayRef<bool> axes, Reduction kind) {
  Dims dims = operand.dims;
  for (auto [dim, reduced] : llvm::zip(dims, axes))
    if (reduced)
      dim = symbols.getConstant(1);
  return reshape(reduce(operand, axes, kind), dims);
}

Operand LinalgTensors::reshape(const Operand &operand,
                               ArrayRef<AffineExpr> dims) {
  if (operand.dims == dims)
    return operand;
  // Through one dimension; canonicalization finds the shorter way.
  auto all = [](int64_t rank) -> SmallVector<ReassociationIndices> {
    if (rank == 0)
      return {};
    return {llvm::to_vector<2>(llvm::seq<int64_t>(0, rank))};
  };
  auto flatten = [&](ArrayRef<AffineExpr> shape) {
    AffineExpr product = symbols.getConstant(1);
    for (AffineExpr dim : shape)
      product = product * dim;
    return Dims{symbols.simplify(product)};
  };
  Dims flat = flatten(operand.dims);
  if (flatten(dims) != flat)
    return {};
  Value line = operand.value;
  if (operand.rank() == 0)
    line = tensor::ExpandShapeOp::create(*this, getType(flat), line, all(0),
                                         sizes(flat));
  else if (operand.rank() > 1)
    line = tensor::CollapseShapeOp::create(*this, getType(flat), line,
                                           all(operand.rank()));
  Value result = line;
  if (dims.empty())
    result =
        tensor::CollapseShapeOp::create(*this, getType(dims), line, all(0));
  else if (dims.size() > 1)
    result = tensor::ExpandShapeOp::create(*this, getType(dims), line,
                                           all(dims.size()), sizes(dims));
  return {result, Dims(dims)};
}

Operand LinalgTensors::transpose(const Operand &operand,
                                 ArrayRef<int64_t> order) {
  Dims dims;
  for (int64_t axis : order)
    dims.push_back(operand.dims[axis]);
  auto op =
      linalg::TransposeOp::create(*this, operand.value, empty(dims), order);
  return {op->getResult(0), dims};
}

Operand LinalgTensors::multiply(const Operand &left, const Operand &right,
                                ArrayRef<AffineExpr> dims) {
  unsigned rank = dims.size(), k = rank;
  ArrayRef<AffineExpr> l = left.dims, r = right.dims;
  if (l.back() != r[r.size() - 2] || l[l.size() - 2] != dims[rank - 2] ||
      r.back() != dims[rank - 1])
    return {};
  auto mapOf = [&](const Operand &operand, AffineExpr row,
                   AffineExpr col) -> AffineMap {
    SmallVector<AffineExpr> places;
    for (int64_t axis = 0; axis < operand.rank() - 2; ++axis) {
      int64_t loop = axis + int64_t(rank) - operand.rank();
      places.push_back(place(operand.dims[axis], dims[loop], loop));
      if (!places.back())
        return {};
    }
    places.append({row, col});
    return AffineMap::get(rank + 1, 0, places, getContext());
  };
  AffineExpr m = getAffineDimExpr(rank - 2), n = getAffineDimExpr(rank - 1),
             sum = getAffineDimExpr(k);
  AffineMap maps[] = {
      mapOf(left, m, sum), mapOf(right, sum, n),
      AffineMap::getMultiDimIdentityMap(rank + 1, getContext()).dropResult(k)};
  if (!maps[0] || !maps[1])
    return {};
  SmallVector<utils::IteratorType> loops(rank, utils::IteratorType::parallel);
  loops.push_back(utils::IteratorType::reduction);
  auto op = linalg::GenericOp::create(
      *this, getType(dims), ValueRange{left.value, right.value},
      filled(dims, 0.0), maps, loops,
      [&](OpBuilder &b, Location loc, ValueRange elements) {
        Value product = arith::MulFOp::create(b, loc, elements[0], elements[1]);
        linalg::YieldOp::create(
            b, loc,
            ValueRange{arith::AddFOp::create(b, loc, elements[2], product)});
      });
  return {op.getResult(0), Dims(dims)};
}
