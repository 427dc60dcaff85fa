// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/Passes.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Regex.h"

using namespace mlir;

namespace pmpd {
#define GEN_PASS_DEF_ALLOCATEPRECISION
#include "passes/Passes.h.inc"

namespace {
/// `REGEX=BITS`.
struct Rule {
  llvm::Regex name;
  int32_t bits;
};

struct AllocatePrecision : impl::AllocatePrecisionBase<AllocatePrecision> {
  using AllocatePrecisionBase::AllocatePrecisionBase;

  void runOnOperation() override {
    FailureOr<SmallVector<Rule, 0>> parsed = parseRules();
    if (failed(parsed) || failed(checkOptions()))
      return signalPassFailure();
    SmallVector<bool> used(parsed->size());
    Builder builder(&getContext());
    getOperation().walk([&](Operation *op) {
      if (auto model = dyn_cast<ModelOp>(op); model && !kv.empty())
        model.setKvType(kv == "f16" ? Type(builder.getF16Type())
                                    : Type(builder.getF32Type()));
      else if (auto prefill = dyn_cast<PrefillOp>(op))
        prefill.setBits(descending(prefillBits));
      else if (auto decode = dyn_cast<DecodeOp>(op))
        decode.setBits(descending(decodeBits));
      else if (auto linear = dyn_cast<LinearOp>(op))
        for (auto [index, rule] : llvm::enumerate(*parsed))
          if (rule.name.match(linear.getWeight())) {
            linear.setPin(rule.bits);
            used[index] = true;
          }
    });
    for (auto [index, rule] : llvm::enumerate(rules))
      if (!used[index])
        getOperation().emitWarning("precision rule '")
            << rule << "' matches no linear layer";
  }

  FailureOr<SmallVector<Rule, 0>> parseRules() {
    SmallVector<Rule, 0> parsed;
    for (StringRef text : rules) {
      auto [pattern, bitsText] = text.rsplit('=');
      Rule rule{llvm::Regex(("^(" + pattern + ")$").str()), 0};
      std::string error;
      if (bitsText.getAsInteger(10, rule.bits) || rule.bits < 2 ||
          rule.bits > 4)
        return getOperation().emitError("precision rule '")
               << text << "': expected REGEX=BITS with 2 to 4 bits";
      if (!rule.name.isValid(error))
        return getOperation().emitError("precision rule '")
               << text << "': " << error;
      parsed.push_back(std::move(rule));
    }
    return parsed;
  }

  LogicalResult checkOptions() {
    if (prefillBits.empty() || decodeBits.empty())
      return getOperation().emitError(
          "expected bits for prefill and for decode");
    if (!kv.empty() && kv != "f16" && kv != "f32")
      return getOperation().emitError("expected kv of f16 or f32, but got ")
             << kv.getValue();
    bool nested = false, unquantized = false;
    for (ArrayRef<int32_t> list :
         {ArrayRef<int32_t>(prefillBits), ArrayRef<int32_t>(decodeBits)}) {
      for (auto [index, bits] : llvm::enumerate(list)) {
        if (llvm::is_contained(list.take_front(index), bits))
          return getOperation().emitError("expected each bits once, but got ")
                 << bits << " twice";
        if (bits >= 2 && bits <= 4)
          nested = true;
        else if (bits == 16 || bits == 32)
          unquantized = true;
        else
          return getOperation().emitError(
                     "expected bits of 2 to 4, 16 or 32, but got ")
                 << bits;
      }
    }
    if (nested && unquantized)
      return getOperation().emitError(
          "expected either nested bits (2 to 4) or "
          "unquantized ones (16, 32), but got both");
    return success();
  }

  static SmallVector<int32_t> descending(ArrayRef<int32_t> bits) {
    SmallVector<int32_t> sorted(bits);
    llvm::sort(sorted, std::greater<int32_t>());
    return sorted;
  }
};
} // namespace
} // namespace pmpd
