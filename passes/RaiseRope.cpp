// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Rotary embeddings. However a graph slices, negates and joins a head, in the
// end each of its elements is a sum of elements times table entries; which sum
// tells the style, and the entries tell the frequencies.
#include "passes/Raise.h"

#include <cmath>

using namespace mlir;
using namespace pmpd;
using namespace pmpd::raise;
using onnx::NodeOp;

// Half precision tables are off by 2^-11.
static constexpr double tolerance = 2e-3;

std::optional<Combination> Raiser::getCombination(const Meaning &meaning) {
  if (const auto *combination = std::get_if<Combination>(&meaning))
    return *combination;
  const auto *features = std::get_if<Features>(&meaning);
  std::optional<double> scale =
      features ? getScale(features->function) : std::nullopt;
  std::optional<size_t> rows =
      features ? findRows(features->view) : std::nullopt;
  if (!scale || !rows || features->centered)
    return std::nullopt;
  ArrayRef<Axis> axes = features->view.axes;
  Combination result{{features->view.base, 0, {}}, {}, {}};
  result.view.axes.append(axes.begin(), axes.begin() + *rows + 1);
  Axis trailing;
  for (const Axis &axis : axes.drop_front(*rows + 1)) {
    result.trailing.push_back(getColumns(axis));
    trailing.append(axis);
  }
  for (int64_t offset : getOffsets(trailing))
    result.elements.push_back(
        {Term{*scale, features->view.offset + offset, {}, 0, 0}});
  return result;
}

static bool isSameHead(const Combination &left, const Combination &right) {
  return left.view.base == right.view.base && left.view.axes == right.view.axes;
}

Meaning Raiser::concatCombinations(NodeOp node) {
  std::vector<Combination> parts;
  for (Value input : node.getInputs()) {
    std::optional<Combination> part;
    if (!isAuxiliary(input))
      part = getCombination(meanings.find(input)->second);
    if (!part || (!parts.empty() && !isSameHead(*part, parts.front())))
      return refuse(node, "expected a past and what is appended to it, or "
                          "parts of the same heads");
    parts.push_back(std::move(*part));
  }
  Combination result{parts[0].view, parts[0].trailing, {}};
  int64_t prefix = result.view.axes.size();
  std::optional<int64_t> axis = onnx::normalizeAxis(
      node.getInt("axis", 0), prefix + result.trailing.size());
  if (!axis || *axis < prefix)
    return refuse(node, "expected parts of heads joined along their elements");
  *axis -= prefix;
  SmallVector<onnx::Shape> shapes;
  SmallVector<const std::vector<SmallVector<Term, 2>> *> elements;
  for (const Combination &part : parts) {
    shapes.push_back(part.trailing);
    elements.push_back(&part.elements);
  }
  result.elements =
      onnx::concatenate<SmallVector<Term, 2>>(shapes, elements, *axis);
  result.trailing[*axis] = 0;
  for (const onnx::Shape &shape : shapes)
    result.trailing[*axis] += shape[*axis];
  return result;
}

Meaning Raiser::multiplyTable(NodeOp node, const Combination &combination,
                              Value table) {
  constexpr Probe probe = {3, 2};
  llvm::Expected<const onnx::Tensor *> sample = probes.evaluate(table, probe);
  if (!sample)
    return refuse(node, llvm::toString(sample.takeError()));
  size_t prefix = combination.view.axes.size();
  size_t rank = prefix + combination.trailing.size();
  onnx::Shape shape = (*sample)->shape;
  bool fits = shape.size() <= rank;
  if (fits)
    shape.insert(shape.begin(), rank - shape.size(), 1);
  // A row of the table for every row, the same for every head.
  for (size_t a = 0; fits && a < prefix; ++a)
    fits = shape[a] == (a + 1 == prefix ? probe.rows : 1);
  std::optional<onnx::Selection> entries;
  ArrayRef<int64_t> row = shape;
  if (fits)
    entries = onnx::selectExpand(row.drop_front(prefix), combination.trailing);
  if (!entries)
    return refuse(node, "expected a table with a row for every token and an "
                        "entry for every element of a head");
  Combination result = combination;
  for (auto [terms, entry] : llvm::zip(result.elements, entries->sources))
    for (Term &term : terms) {
      if (term.table)
        return refuse(node, "expected a product with one table");
      term.table = table;
      term.tableElement = entry;
      term.tableCols = onnx::countElements(row.drop_front(prefix));
    }
  return result;
}

Meaning Raiser::addCombinations(NodeOp node, const Combination &left,
                                const Combination &right, double sign) {
  if (!isSameHead(left, right) || left.trailing != right.trailing)
    return refuse(node, "expected parts of the same heads");
  Combination result = left;
  for (auto [sum, terms] : llvm::zip(result.elements, right.elements))
    for (Term term : terms) {
      term.factor *= sign;
      sum.push_back(term);
    }
  return result;
}

/// Pairs of a head, given as terms of its elements, in the order of their first
/// ones; none if the head is not rotated pairs and kept elements.
static std::optional<std::vector<Pair>>
findPairs(ArrayRef<SmallVector<Term, 2>> head) {
  auto find = [&](int64_t element, bool own) -> const Term * {
    if (head[element].size() != 2)
      return nullptr;
    for (const Term &term : head[element])
      if ((term.column == element) == own)
        return term.table && std::abs(term.factor) == 1 ? &term : nullptr;
    return nullptr;
  };
  std::vector<Pair> pairs;
  for (int64_t i = 0, e = head.size(); i < e; ++i) {
    if (head[i].size() == 1) {
      const Term &kept = head[i][0];
      if (kept.table || kept.factor != 1 || kept.column != i)
        return std::nullopt;
      continue;
    }
    const Term *cosine = find(i, true), *sine = find(i, false);
    if (!cosine || !sine || sine->column < 0 || sine->column >= e)
      return std::nullopt;
    const Term *back = find(sine->column, false);
    const Term *other = find(sine->column, true);
    // The sine of the second enters the first with the other sign.
    if (!back || !other || back->column != i || back->factor != -sine->factor ||
        cosine->factor != 1 || other->factor != 1)
      return std::nullopt;
    if (sine->column > i)
      pairs.push_back({i, sine->column, *cosine, *back});
  }
  if (pairs.empty())
    return std::nullopt;
  return pairs;
}

static std::optional<RopeStyle> getStyle(ArrayRef<Pair> pairs) {
  int64_t count = pairs.size();
  bool half = true, interleaved = true;
  for (auto [i, pair] : llvm::enumerate(pairs)) {
    int64_t at = i;
    half &= pair.first == at && pair.second == at + count;
    interleaved &= pair.first == 2 * at && pair.second == 2 * at + 1;
  }
  if (half)
    return RopeStyle::Half;
  if (interleaved)
    return RopeStyle::Interleaved;
  return std::nullopt;
}

llvm::Expected<double> Raiser::readTable(const Term &term, Probe probe,
                                         int64_t row) {
  llvm::Expected<const onnx::Tensor *> table =
      probes.evaluate(term.table, probe);
  if (!table)
    return table.takeError();
  int64_t at = row * term.tableCols + term.tableElement;
  if (at >= (*table)->size())
    return llvm::createStringError("expected a row of the table per token");
  return term.factor * (*table)->at(at);
}

/// The frequency of a pair whose angle is `angle(p)` at position p, modulo a
/// turn: each doubling of the position halves the error, as long as the error
/// at the next one stays within half a turn.
static double recoverFrequency(int64_t positions,
                               llvm::function_ref<double(int64_t)> angle) {
  double frequency = 0;
  for (int64_t position = 1; position < positions; position *= 2) {
    double measured = angle(position), predicted = frequency * position;
    double turns = std::round((predicted - measured) / (2 * M_PI));
    frequency = (measured + 2 * M_PI * turns) / position;
  }
  return snapToSingle(frequency);
}

std::string Raiser::recoverTable(ArrayRef<Pair> pairs, RopeTable &table) {
  context = findContext(context, [&](int64_t size) {
    llvm::Expected<double> entry =
        readTable(pairs.front().cosine, {size, 0}, size - 1);
    probes.forget({size, 0});
    if (entry)
      return true;
    llvm::consumeError(entry.takeError());
    return false;
  });
  if (context < 2)
    return "expected a table of cosines and sines, but it cannot be computed";
  Probe whole = {context, 0};
  std::string reason;
  auto read = [&](const Term &term, Probe probe, int64_t row) {
    llvm::Expected<double> entry = readTable(term, probe, row);
    if (entry)
      return *entry;
    reason = llvm::toString(entry.takeError());
    return 0.0;
  };
  table.scale = std::hypot(read(pairs.front().cosine, whole, 0),
                           read(pairs.front().sine, whole, 0));
  for (const Pair &pair : pairs) {
    double frequency = recoverFrequency(context, [&](int64_t position) {
      return std::atan2(read(pair.sine, whole, position),
                        read(pair.cosine, whole, position));
    });
    // At all positions, and with tokens before the chunk.
    auto differs = [&](Probe probe, int64_t row) {
      double angle = frequency * (probe.past + row);
      auto isFar = [&](const Term &term, double expected) {
        return !(std::abs(read(term, probe, row) - table.scale * expected) <=
                 tolerance * table.scale);
      };
      return isFar(pair.cosine, std::cos(angle)) ||
             isFar(pair.sine, std::sin(angle));
    };
    bool wrong = differs({2, 5}, 0) || differs({2, 5}, 1);
    for (int64_t position = 0; position < context && !wrong; ++position)
      wrong = differs(whole, position);
    if (wrong && reason.empty())
      reason = "expected cosines and sines of the position times a frequency";
    if (!reason.empty())
      break;
    table.frequencies.push_back(frequency);
  }
  probes.forget(whole);
  return reason;
}

FlatSymbolRefAttr Raiser::getRopeTable(const RopeTable &table) {
  for (const RopeTable &known : ropes) {
    bool same = known.style == table.style &&
                known.frequencies.size() == table.frequencies.size() &&
                std::abs(known.scale - table.scale) < 1e-9;
    for (auto [a, b] : llvm::zip(known.frequencies, table.frequencies))
      same &= std::abs(a - b) <= 1e-9 * std::max(1.0, std::abs(a));
    if (same)
      return FlatSymbolRefAttr::get(builder.getContext(), known.name);
  }
  RopeTable added = table;
  added.name = ropes.empty() ? "rope" : "rope_" + std::to_string(ropes.size());
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPoint(body);
  RopeTableOp::create(
      builder, graph.getLoc(), builder.getStringAttr(added.name),
      builder.getDenseF64ArrayAttr(added.frequencies),
      builder.getF64FloatAttr(added.scale),
      RopeStyleAttr::get(builder.getContext(), added.style), IntegerAttr());
  ropes.push_back(added);
  return FlatSymbolRefAttr::get(builder.getContext(), added.name);
}

std::optional<Features> Raiser::emitRope(NodeOp node,
                                         const Combination &combination) {
  auto fail = [&](const Twine &reason) -> std::optional<Features> {
    refuse(node, reason);
    return std::nullopt;
  };
  // All elements in order, heads before the rows first.
  Axis before;
  for (const Axis &axis : ArrayRef<Axis>(combination.view.axes).drop_back())
    before.append(axis);
  SmallVector<int64_t> offsets = getOffsets(before);
  int64_t size = combination.elements.size();
  int64_t width = offsets.size() * size;
  int64_t headSize =
      combination.trailing.empty() ? 1 : combination.trailing.back();
  int64_t least = std::numeric_limits<int64_t>::max();
  for (const auto &terms : combination.elements)
    for (const Term &term : terms)
      least = std::min(least, term.column);
  // The same head again and again: column c of the rows is element c.
  std::vector<SmallVector<Term, 2>> head;
  for (int64_t c = 0; c < width; ++c) {
    SmallVector<Term, 2> terms = combination.elements[c % size];
    for (Term &term : terms)
      term.column += offsets[c / size] - least - c / headSize * headSize;
    if (c < headSize)
      head.push_back(terms);
    else if (head[c % headSize] != terms)
      return fail("expected the same rotary embedding for every head");
  }
  // A scale of the whole, which attention may have here, is kept apart.
  double scale = 1;
  for (const Term &term : head[0])
    if (term.column == 0)
      scale = term.factor;
  for (auto &terms : head)
    for (Term &term : terms)
      term.factor /= scale;
  std::optional<std::vector<Pair>> pairs = findPairs(head);
  std::optional<RopeStyle> style;
  if (pairs)
    style = getStyle(*pairs);
  if (!style)
    return fail("expected a rotary embedding of halves or of neighbours");
  FlatSymbolRefAttr symbol;
  for (const auto &[known, table] : knownHeads)
    if (known == head)
      symbol = table;
  if (!symbol) {
    RopeTable table{"", {}, 1, *style};
    std::string reason = recoverTable(*pairs, table);
    if (!reason.empty())
      return fail(reason);
    symbol = getRopeTable(table);
    knownHeads.push_back({head, symbol});
  }
  // The heads before they were rotated, as they lie in the result.
  View view = combination.view;
  view.offset = least;
  int64_t stride = size;
  for (int64_t extent : combination.trailing) {
    stride /= extent;
    view.axes.push_back({});
    if (extent > 1)
      view.axes.back().push_back({Atom::Column, extent, stride});
  }
  std::optional<Features> settled = settle(node, {view, nullptr});
  if (!settled)
    return std::nullopt;
  settled->view.base = RopeOp::create(
      builder, node.getLoc(), settled->view.base.getType(), settled->view.base,
      symbol, builder.getI64IntegerAttr(width / headSize));
  if (scale != 1)
    settled->function = [=](double x) { return scale * x; };
  return settled;
}
