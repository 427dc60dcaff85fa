// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Codegen/gpu/GpuKernels.h"
#include "passes/LowerRegions.h"
#include "passes/Passes.h"

using namespace mlir;

namespace pmpd {
#define GEN_PASS_DEF_LOWERTOGPU
#include "passes/Passes.h.inc"

namespace {
struct LowerToGPU : impl::LowerToGPUBase<LowerToGPU> {
  void runOnOperation() override {
    codegen::GpuKernels kernels(getOperation());
    codegen::CpuKernels hostKernels(getOperation(), codegen::Target());
    for (ModelOp model : getOperation().getOps<ModelOp>()) {
      RegionLowering lowering(model, kernels);
      for (RegionOp region : model.getBody()->getOps<RegionOp>())
        if (failed(lowering.lower(region)))
          return signalPassFailure();
      // No region launches it: the runtime may.
      codegen::Kernel sample = kernels.sample(model.getVocab());
      sample.func->setAttr(
          "pmpd.sample_scratch",
          Builder(&getContext())
              .getI64IntegerAttr(kernels.sampleScratch(model.getVocab())));
      for (auto classifier : model.getBody()->getOps<ClassifierOp>())
        if (failed(lowerClassifier(classifier, model, hostKernels)))
          return signalPassFailure();
    }
  }
};
} // namespace
} // namespace pmpd
