// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/Passes.h"

#include "mlir/IR/IRMapping.h"

using namespace mlir;

namespace pmpd {
#define GEN_PASS_DEF_FORMPHASES
#include "passes/Passes.h.inc"

namespace {
struct FormPhases : impl::FormPhasesBase<FormPhases> {
  void runOnOperation() override {
    SmallVector<BodyOp> bodies;
    getOperation().walk([&](BodyOp body) { bodies.push_back(body); });
    for (BodyOp body : bodies) {
      OpBuilder builder(body);
      ArrayRef<int32_t> noBits;
      auto prefill = PrefillOp::create(builder, body.getLoc(), noBits);
      auto decode = DecodeOp::create(builder, body.getLoc(), noBits);
      IRMapping mapping;
      body.getBodyRegion().cloneInto(&prefill.getBodyRegion(), mapping);
      decode.getBodyRegion().takeBody(body.getBodyRegion());
      body.erase();
    }
  }
};
} // namespace
} // namespace pmpd
