// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Codegen/CpuKernels.h"
#include "passes/LowerRegions.h"
#include "passes/Passes.h"

using namespace mlir;

namespace pmpd {
#define GEN_PASS_DEF_LOWERTOCPU
#include "passes/Passes.h.inc"

namespace {
struct LowerToCPU : impl::LowerToCPUBase<LowerToCPU> {
  using LowerToCPUBase::LowerToCPUBase;

  void runOnOperation() override {
    std::optional<codegen::ISA> parsed = codegen::parseISA(isa);
    if (!parsed) {
      getOperation().emitError(
          "expected isa portable, avx2, avxvnni, avx512vnni or amx, but got ")
          << isa.getValue();
      return signalPassFailure();
    }
    codegen::Target target;
    target.isa = *parsed;
    target.nativeHalf = nativeHalf;
    codegen::CpuKernels kernels(getOperation(), target);
    for (ModelOp model : getOperation().getOps<ModelOp>()) {
      RegionLowering lowering(model, kernels);
      for (RegionOp region : model.getBody()->getOps<RegionOp>())
        if (failed(lowering.lower(region)))
          return signalPassFailure();
      for (auto classifier : model.getBody()->getOps<ClassifierOp>())
        if (failed(lowerClassifier(classifier, model, kernels)))
          return signalPassFailure();
    }
  }
};
} // namespace
} // namespace pmpd
