// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Emit/GpuTarget.h"
#include "passes/Passes.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;

namespace pmpd {
#define GEN_PASS_DEF_EMITGPUIMAGES
#include "passes/Passes.h.inc"

namespace {

struct EmitGpuImages : impl::EmitGpuImagesBase<EmitGpuImages> {
  using EmitGpuImagesBase::EmitGpuImagesBase;

  void runOnOperation() override {
    SmallVector<emit::GpuTarget> targets;
    for (const std::string &chip : chips) {
      llvm::Expected<emit::GpuTarget> target = emit::resolveGpu(chip);
      if (!target) {
        getOperation().emitError() << llvm::toString(target.takeError());
        return signalPassFailure();
      }
      targets.push_back(std::move(*target));
    }
    if (targets.empty()) {
      getOperation().emitError("expected GPUs to emit code for, as in "
                               "gpu=sm_80,sm_90");
      return signalPassFailure();
    }
    llvm::sort(targets,
               [](const auto &a, const auto &b) { return a.sm < b.sm; });
    for (auto module : getOperation().getOps<gpu::GPUModuleOp>())
      if (failed(emit(module, targets)))
        return signalPassFailure();
  }

private:
  /// PTX of the oldest, which all others can assemble, and of the newest, from
  /// which still newer ones gain; with an assembler at hand the machine code of
  /// each.
  LogicalResult emit(gpu::GPUModuleOp module,
                     ArrayRef<emit::GpuTarget> targets) {
    std::string ptxas = assembler == "none" ? std::string()
                        : assembler.empty() ? emit::findPtxas()
                                            : assembler.getValue();
    SmallVector<Attribute> images;
    for (const emit::GpuTarget &target : targets) {
      bool isOuter = &target == targets.begin() || &target == &targets.back();
      if (!isOuter && ptxas.empty())
        continue;
      std::string ptx = emit::makePtx(module, target);
      if (ptx.empty())
        return failure();
      if (isOuter)
        images.push_back(image(target, gpu::CompilationTarget::Assembly,
                               StringRef(ptx.c_str(), ptx.size() + 1)));
      if (ptxas.empty())
        continue;
      llvm::Expected<std::string> code = emit::assemble(ptxas, ptx, target);
      if (!code)
        return module.emitOpError() << llvm::toString(code.takeError());
      images.push_back(image(target, gpu::CompilationTarget::Binary, *code));
    }
    module->setAttr("pmpd.images", ArrayAttr::get(&getContext(), images));
    return success();
  }

  Attribute image(const emit::GpuTarget &target, gpu::CompilationTarget format,
                  StringRef contents) {
    auto chip = NVVM::NVVMTargetAttr::get(
        &getContext(), /*optLevel=*/3, "nvptx64-nvidia-cuda", target.chip(),
        target.machine->getTargetFeatureString());
    return gpu::ObjectAttr::get(chip, format,
                                StringAttr::get(&getContext(), contents));
  }
};
} // namespace
} // namespace pmpd
