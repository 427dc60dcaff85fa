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

llvm::Expected<std::vector<bool>> Raiser::getVisible(ArrayRef<MaskStep> masks,
                                                     Probe probe) {
  int64_t all = probe.rows + probe.past;
  std::vector<bool> visible(probe.rows * all, true);
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
        visible[i % visible.size()] = false;
      else if (std::abs(value) > 1e-6)
        return llvm::createStringError(
            "expected a mask of 0 and at most -10000, but got %g; position "
            "biases are not supported",
            value);
    }
  }
  return visible;
}

std::string Raiser::checkMasks(ArrayRef<MaskStep> masks,
                               std::optional<int64_t> &window) {
  // A mask kept in the file ends somewhere, and the context with it.
  context = findContext(context, [&](int64_t size) {
    Probe last = {1, size - 1};
    llvm::Expected<std::vector<bool>> visible = getVisible(masks, last);
    probes.forget(last);
    if (visible && visible->back())
      return true;
    llvm::consumeError(visible.takeError());
    return false;
  });
  if (context > 0) {
    llvm::Expected<std::vector<bool>> visible =
        getVisible(masks, {1, context - 1});
    if (!visible)
      return llvm::toString(visible.takeError());
    auto first = llvm::find(*visible, true);
    if (first != visible->begin())
      window = visible->end() - first;
  }
  SmallVector<Probe> samples = {{1, 0}, {5, 0}, {1, 7}, {4, 9}};
  if (window)
    samples.push_back({3, *window + 2});
  for (Probe probe : samples) {
    if (probe.rows + probe.past > context)
      continue;
    llvm::Expected<std::vector<bool>> visible = getVisible(masks, probe);
    if (!visible)
      return llvm::toString(visible.takeError());
    int64_t all = probe.rows + probe.past;
    for (int64_t i = 0; i < probe.rows * all; ++i) {
      int64_t position = probe.past + i / all, at = i % all;
      bool expected = at <= position && (!window || at > position - *window);
      if ((*visible)[i] != expected)
        return ("expected a causal mask, but with " + Twine(probe.past) +
                " past tokens, token " + Twine(position) +
                ((*visible)[i] ? " sees token " : " does not see token ") +
                Twine(at))
            .str();
    }
  }
  if (context <= 0)
    return "expected a causal mask, but it cannot be computed";
  return "";
}
