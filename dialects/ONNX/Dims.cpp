// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/ONNX/Dims.h"

#include "dialects/ONNX/ONNX.h"
#include "mlir/IR/AffineExprVisitor.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace pmpd::onnx;

namespace {

/// Recursive descent over the grammar that DimsAttr documents.
class DimParser {
public:
  DimParser(DimSymbols &symbols, StringRef text)
      : symbols(symbols), text(text) {}

  AffineExpr parse() {
    AffineExpr expr = parseSum();
    skipSpace();
    return text.empty() ? expr : AffineExpr();
  }

private:
  // A hostile file must not exhaust the stack.
  static constexpr unsigned maxDepth = 64;

  void skipSpace() { text = text.ltrim(" \t"); }

  bool consume(StringRef token) {
    skipSpace();
    return text.consume_front(token);
  }

  AffineExpr parseSum() {
    AffineExpr left = parseProduct();
    while (left) {
      bool add = consume("+");
      if (!add && !consume("-"))
        break;
      AffineExpr right = parseProduct();
      if (!right)
        return {};
      left = add ? left + right : left - right;
    }
    return left;
  }

  AffineExpr parseProduct() {
    AffineExpr left = parseFactor();
    while (left) {
      AffineExprKind kind;
      if (consume("*"))
        kind = AffineExprKind::Mul;
      else if (consume("floordiv "))
        kind = AffineExprKind::FloorDiv;
      else if (consume("ceildiv "))
        kind = AffineExprKind::CeilDiv;
      else if (consume("mod "))
        kind = AffineExprKind::Mod;
      else
        break;
      AffineExpr right = parseFactor();
      if (!right)
        return {};
      auto constant = dyn_cast<AffineConstantExpr>(right);
      if (kind != AffineExprKind::Mul && constant && constant.getValue() <= 0)
        return {};
      left = getAffineBinaryOpExpr(kind, left, right);
    }
    return left;
  }

  AffineExpr parseFactor() {
    if (++depth > maxDepth)
      return {};
    AffineExpr result = parseAtom();
    --depth;
    return result;
  }

  AffineExpr parseAtom() {
    if (consume("-")) {
      AffineExpr operand = parseFactor();
      return operand ? -operand : AffineExpr();
    }
    if (consume("(")) {
      AffineExpr inner = parseSum();
      return consume(")") ? inner : AffineExpr();
    }
    skipSpace();
    StringRef number = text.take_while(llvm::isDigit);
    if (!number.empty()) {
      int64_t value;
      if (number.getAsInteger(10, value))
        return {};
      text = text.drop_front(number.size());
      return symbols.getConstant(value);
    }
    StringRef name = text.take_while(
        [](char c) { return llvm::isAlnum(c) || c == '_' || c == '.'; });
    if (name.empty())
      return {};
    text = text.drop_front(name.size());
    return symbols.getSymbol(name);
  }

  DimSymbols &symbols;
  StringRef text;
  unsigned depth = 0;
};

} // namespace

AffineExpr DimSymbols::getConstant(int64_t value) const {
  return getAffineConstantExpr(value, context);
}

AffineExpr DimSymbols::getSymbol(StringRef name) {
  auto [it, inserted] = indices.try_emplace(name, names.size());
  if (inserted)
    names.push_back(name.str());
  return getAffineSymbolExpr(it->second, context);
}

AffineExpr DimSymbols::createSymbol() {
  std::string name;
  do
    name = "unknown" + std::to_string(created++);
  while (indices.contains(name));
  return getSymbol(name);
}

AffineExpr DimSymbols::parse(StringRef text) {
  AffineExpr expr = DimParser(*this, text).parse();
  return expr ? simplify(expr) : expr;
}

std::string DimSymbols::print(AffineExpr expr) const {
  if (auto constant = dyn_cast<AffineConstantExpr>(expr))
    return std::to_string(constant.getValue());
  if (auto symbol = dyn_cast<AffineSymbolExpr>(expr))
    return names[symbol.getPosition()];
  auto binary = cast<AffineBinaryOpExpr>(expr);
  auto operand = [&](AffineExpr side) {
    std::string text = print(side);
    return isa<AffineBinaryOpExpr>(side) ? "(" + text + ")" : text;
  };
  AffineExpr left = binary.getLHS(), right = binary.getRHS();
  switch (expr.getKind()) {
  case AffineExprKind::Add: {
    std::string sum = print(left), added = print(right);
    auto product = dyn_cast<AffineBinaryOpExpr>(right);
    if (product && product.getKind() == AffineExprKind::Mul &&
        product.getRHS() == -1)
      return sum + " - " + operand(product.getLHS());
    if (added[0] == '-')
      return sum + " - " + added.substr(1);
    return sum + " + " + added;
  }
  case AffineExprKind::Mul:
    return operand(left) + " * " + operand(right);
  case AffineExprKind::FloorDiv:
    return operand(left) + " floordiv " + operand(right);
  case AffineExprKind::CeilDiv:
    return operand(left) + " ceildiv " + operand(right);
  default:
    return operand(left) + " mod " + operand(right);
  }
}

AffineExpr DimSymbols::simplify(AffineExpr expr) const {
  return simplifyAffineExpr(expr, 0, names.size());
}

SmallVector<AffineExpr> DimSymbols::getShape(RankedTensorType type) {
  SmallVector<AffineExpr> shape;
  auto dims = dyn_cast_or_null<DimsAttr>(type.getEncoding());
  for (auto [i, size] : llvm::enumerate(type.getShape())) {
    if (!ShapedType::isDynamic(size))
      shape.push_back(getConstant(size));
    else if (dims)
      shape.push_back(parse(dims.getExprs()[i].getValue()));
    else
      shape.push_back(createSymbol());
  }
  return shape;
}

RankedTensorType DimSymbols::getType(ArrayRef<AffineExpr> shape,
                                     Type elementType) const {
  SmallVector<int64_t> sizes;
  SmallVector<StringAttr> exprs;
  bool dynamic = false;
  for (AffineExpr dim : shape) {
    auto constant = dyn_cast<AffineConstantExpr>(dim);
    dynamic |= !constant;
    sizes.push_back(constant ? constant.getValue() : ShapedType::kDynamic);
    exprs.push_back(StringAttr::get(context, print(dim)));
  }
  return RankedTensorType::get(sizes, elementType,
                               dynamic ? DimsAttr::get(context, exprs)
                                       : Attribute());
}

std::optional<int64_t>
DimSymbols::evaluate(AffineExpr expr,
                     const llvm::StringMap<int64_t> &values) const {
  if (auto constant = dyn_cast<AffineConstantExpr>(expr))
    return constant.getValue();
  if (auto symbol = dyn_cast<AffineSymbolExpr>(expr)) {
    auto it = values.find(names[symbol.getPosition()]);
    if (it == values.end())
      return std::nullopt;
    return it->second;
  }
  auto binary = cast<AffineBinaryOpExpr>(expr);
  std::optional<int64_t> left = evaluate(binary.getLHS(), values);
  std::optional<int64_t> right = evaluate(binary.getRHS(), values);
  if (!left || !right)
    return std::nullopt;
  AffineExpr folded;
  if (expr.getKind() == AffineExprKind::Add ||
      expr.getKind() == AffineExprKind::Mul || *right > 0)
    folded = getAffineBinaryOpExpr(expr.getKind(), getConstant(*left),
                                   getConstant(*right));
  auto constant = dyn_cast_or_null<AffineConstantExpr>(folded);
  if (!constant)
    return std::nullopt;
  return constant.getValue();
}
