// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Masks are computed for sample chunks and compared with a causal one: how an
// exporter builds a mask does not matter.
#include "passes/Raise.h"

using namespace mlir;
using namespace pmpd;
using namespace pmpd::raise;

// Added to a score, this leaves nothing of its exponential; older models use
// no more so that it fits half precision.
static constexpr double hidden = -9999;

llvm::Expected<std::vector<Sight>> Raiser::getSight(ArrayRef<MaskStep> masks,
                                                    Probe probe) {
  int64_t all = probe.rows + probe.past;
  std::vector<Sight> sight(probe.rows * all, Sight::Seen);
  for (const MaskStep &mask : masks) {
    llvm::Expected<const onnx::Tensor *> computed =
        probes.evaluate(mask.added ? mask.added : mask.condition, probe);
    if (!computed)
      return computed.takeError();
    const onnx::Tensor &tensor = **computed;
    std::optional<onnx::Shape> shape =
        onnx::broadcastShapes(tensor.shape, {probe.rows, all});
    if (!shape || shape->end()[-2] != probe.rows || shape->back() != all)
      return llvm::createStringError(
          "expected a mask for the rows and all tokens");
    onnx::Selection selection = *onnx::selectExpand(tensor.shape, *shape);
    for (size_t i = 0; i < selection.sources.size(); ++i) {
      double value = tensor.at(selection.sources[i]);
      if (mask.condition)
        value = (value != 0) == mask.keepWhere ? 0 : mask.filler;
      if (value <= hidden)
        sight[i % sight.size()] = Sight::Hidden;
      else if (!(std::abs(value) <= 1e-6))
        sight[i % sight.size()] = Sight::Biased;
    }
  }
  return sight;
}

std::string Raiser::checkMasks(ArrayRef<MaskStep> masks,
                               std::optional<int64_t> &window) {
  auto look = [&](Probe probe) {
    llvm::Expected<std::vector<Sight>> sight = getSight(masks, probe);
    probes.forget(probe); // a mask kept in the file is large
    return sight;
  };
  // Such a mask ends somewhere, and the context with it.
  context = findContext(context, [&](int64_t size) {
    llvm::Expected<std::vector<Sight>> sight = look({1, size - 1});
    if (sight)
      return sight->back() != Sight::Hidden;
    llvm::consumeError(sight.takeError());
    return false;
  });
  llvm::Expected<std::vector<Sight>> last =
      look({1, std::max<int64_t>(context, 1) - 1});
  if (!last)
    return llvm::toString(last.takeError());
  auto isSeen = [](Sight sight) { return sight != Sight::Hidden; };
  auto first = llvm::find_if(*last, isSeen);
  if (first != last->begin() && first != last->end())
    window = last->end() - first;

  SmallVector<Probe> samples = {{1, 0}, {5, 0}, {1, 7}, {4, 9}};
  if (window)
    samples.push_back({3, *window + 2});
  for (Probe probe : samples) {
    int64_t all = probe.rows + probe.past;
    if (all > std::max<int64_t>(context, 1))
      continue;
    llvm::Expected<std::vector<Sight>> sight = look(probe);
    if (!sight)
      return llvm::toString(sight.takeError());
    for (int64_t i = 0; i < probe.rows * all; ++i) {
      int64_t position = probe.past + i / all, at = i % all;
      bool expected = at <= position && (!window || at > position - *window);
      if ((*sight)[i] == Sight::Biased)
        return "expected a mask of 0 and at most -10000; position biases are "
               "not supported";
      if (((*sight)[i] == Sight::Seen) != expected)
        return ("expected a causal mask, but with " + Twine(probe.past) +
                " past tokens, token " + Twine(position) +
                (expected ? " does not see token " : " sees token ") +
                Twine(at))
            .str();
    }
  }
  return "";
}
