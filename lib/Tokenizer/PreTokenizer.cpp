// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Tokenizer/PreTokenizer.h"
#include "lib/Tokenizer/ByteLevel.h"
#include "lib/Tokenizer/Regex.h"

#include <algorithm>

using namespace pmpd::tokenizer;

namespace {

/// What happens to the text that a split pattern matches.
enum class Behavior {
  Removed,
  Isolated,
  MergedWithPrevious,
  MergedWithNext,
  Contiguous
};

/// A stretch of the text, matched by the pattern or between two matches.
struct Stretch {
  Span span;
  bool matched;
};

} // namespace

static const char Gpt2Pattern[] =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

static Behavior readBehavior(const std::string &name) {
  static const std::pair<const char *, Behavior> names[] = {
      {"Removed", Behavior::Removed},
      {"Isolated", Behavior::Isolated},
      {"MergedWithPrevious", Behavior::MergedWithPrevious},
      {"MergedWithNext", Behavior::MergedWithNext},
      {"Contiguous", Behavior::Contiguous}};
  for (auto [known, behavior] : names)
    if (name == known)
      return behavior;
  throw LoadError("unsupported split behavior '" + name +
                  "': expected Removed, Isolated, MergedWithPrevious, "
                  "MergedWithNext or Contiguous");
}

static std::vector<Stretch> findStretches(const Regex &pattern, bool invert,
                                          std::string_view text) {
  std::vector<Stretch> stretches;
  size_t end = 0;
  for (Span match : pattern.findAll(text)) {
    if (end < match.begin)
      stretches.push_back({{end, match.begin}, invert});
    stretches.push_back({match, !invert});
    end = match.end;
  }
  if (end < text.size())
    stretches.push_back({{end, text.size()}, invert});
  return stretches;
}

/// Whether a stretch joins the one before it.
static bool joins(Behavior behavior, bool before, bool matched) {
  switch (behavior) {
  case Behavior::MergedWithPrevious:
    return matched && !before;
  case Behavior::MergedWithNext:
    return !matched && before;
  case Behavior::Contiguous:
    return matched == before;
  case Behavior::Removed:
  case Behavior::Isolated:
    return false;
  }
  return false;
}

static void splitPiece(const Regex &pattern, Behavior behavior, bool invert,
                       const Piece &piece, std::vector<Piece> &out) {
  bool before = false, any = false;
  for (auto [span, matched] : findStretches(pattern, invert, piece.text)) {
    if (behavior == Behavior::Removed && matched)
      continue;
    std::string text = piece.text.substr(span.begin, span.end - span.begin);
    if (any && joins(behavior, before, matched))
      out.back().text += text;
    else
      out.push_back({std::move(text), piece.first && span.begin == 0});
    before = matched;
    any = true;
  }
}

static PreTokenizer splitBy(Regex pattern, Behavior behavior, bool invert) {
  return [=](std::vector<Piece> pieces) {
    std::vector<Piece> out;
    for (const Piece &piece : pieces)
      splitPiece(pattern, behavior, invert, piece, out);
    return out;
  };
}

static PreTokenizer inOrder(std::vector<PreTokenizer> steps) {
  return [steps = std::move(steps)](std::vector<Piece> pieces) {
    for (const PreTokenizer &step : steps)
      pieces = step(std::move(pieces));
    return pieces;
  };
}

/// Rewrites every piece in place.
static PreTokenizer forEach(std::function<void(Piece &)> rewrite) {
  return [=](std::vector<Piece> pieces) {
    for (Piece &piece : pieces)
      rewrite(piece);
    return pieces;
  };
}

static PreTokenizer readByteLevel(const Json &component) {
  std::vector<PreTokenizer> steps;
  if (valueOr(component, "add_prefix_space", true))
    steps.push_back(forEach([](Piece &piece) {
      if (piece.text.front() != ' ')
        piece.text.insert(0, 1, ' ');
    }));
  if (valueOr(component, "use_regex", true))
    steps.push_back(
        splitBy(Regex(Gpt2Pattern, false), Behavior::Isolated, false));
  steps.push_back(
      forEach([](Piece &piece) { piece.text = toAlphabet(piece.text); }));
  return inOrder(std::move(steps));
}

static PreTokenizer readMetaspace(const Json &component) {
  auto mark = valueOr<std::string>(component, "replacement", "\u2581");
  auto scheme = valueOr<std::string>(
      component, "prepend_scheme",
      valueOr(component, "add_prefix_space", true) ? "always" : "never");
  if (scheme != "always" && scheme != "never" && scheme != "first")
    throw LoadError("unsupported Metaspace prepend_scheme '" + scheme +
                    "': expected always, never or first");
  std::vector<PreTokenizer> steps;
  steps.push_back(forEach([=](Piece &piece) {
    piece.text = replaceAll(std::move(piece.text), " ", mark);
    bool wanted = scheme == "always" || (scheme == "first" && piece.first);
    if (wanted && piece.text.compare(0, mark.size(), mark) != 0)
      piece.text.insert(0, mark);
  }));
  if (valueOr(component, "split", true))
    steps.push_back(
        splitBy(Regex(mark, true), Behavior::MergedWithNext, false));
  return inOrder(std::move(steps));
}

static PreTokenizer readSequence(const Json &component) {
  std::vector<PreTokenizer> steps;
  for (const Json &item : sequenceItems(component, "pretokenizers"))
    steps.push_back(readPreTokenizer(item));
  return inOrder(std::move(steps));
}

PreTokenizer pmpd::tokenizer::readPreTokenizer(const Json &component) {
  if (component.is_null())
    return inOrder({});
  auto type = component.at("type").get<std::string>();
  if (type == "Sequence")
    return readSequence(component);
  if (type == "ByteLevel")
    return readByteLevel(component);
  if (type == "Metaspace")
    return readMetaspace(component);
  if (type == "Split")
    return splitBy(readPattern(component.at("pattern")),
                   readBehavior(component.at("behavior").get<std::string>()),
                   valueOr(component, "invert", false));
  if (type == "Digits")
    return splitBy(Regex(R"(\p{N})", false),
                   valueOr(component, "individual_digits", false)
                       ? Behavior::Isolated
                       : Behavior::Contiguous,
                   false);
  throw LoadError(
      "unsupported pre_tokenizer '" + type +
      "': expected ByteLevel, Digits, Metaspace, Sequence or Split");
}
