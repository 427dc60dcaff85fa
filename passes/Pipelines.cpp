// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/Pipelines.h"
#include "lib/Codegen/LowerToLLVM.h"
#include "lib/Codegen/gpu/LowerToNVVM.h"
#include "lib/Quant/Quantizer.h"
#include "passes/Passes.h"

#include "mlir/Conversion/AffineToStandard/AffineToStandard.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace pmpd {

void buildLowerClassifiersPipeline(OpPassManager &pm) {
  pm.addPass(createLowerOnnxToLinalg());
  auto &tensors = pm.nest<func::FuncOp>();
  tensors.addPass(createCanonicalizerPass());
  tensors.addPass(createCSEPass());
  tensors.addPass(createLinalgElementwiseOpFusionPass());
  tensors.addPass(createCanonicalizerPass());
  bufferization::OneShotBufferizePassOptions bufferize;
  // The model beside the functions stays on tensors.
  bufferize.dialectFilter = {"arith", "bufferization", "linalg", "tensor"};
  pm.addPass(bufferization::createOneShotBufferizePass(bufferize));
  auto &buffers = pm.nest<func::FuncOp>();
  buffers.addPass(createCanonicalizerPass());
  buffers.addPass(createPlaceBuffers());
  buffers.addPass(createConvertLinalgToLoopsPass());
  buffers.addPass(memref::createExpandStridedMetadataPass());
  buffers.addPass(createLowerAffinePass());
  buffers.addPass(arith::createArithExpandOpsPass());
}

/// From the graph to regions with packed weights.
static void buildRegions(OpPassManager &pm, const CompileOptions &options,
                         const std::string &layout) {
  std::string statistics = options.statistics;
  if (statistics.empty() && !options.calibration.empty())
    statistics = options.weights + ".statistics";
  std::string store = options.weights + ".codes";

  RaiseOptions raise;
  raise.name = options.name;
  raise.ctx = options.context;
  pm.addPass(createRaise(raise));
  pm.addPass(createFormPhases());

  AllocatePrecisionOptions allocate;
  allocate.prefillBits = llvm::to_vector(options.prefill);
  allocate.decodeBits = llvm::to_vector(options.decode);
  for (const std::string &rule : options.rules)
    allocate.rules.push_back(rule);
  allocate.kv = options.kv;
  pm.addPass(createAllocatePrecision(allocate));

  if (!options.scheduler.empty()) {
    AttachSchedulerOptions attach;
    attach.file = options.scheduler;
    pm.addPass(createAttachScheduler(attach));
    buildLowerClassifiersPipeline(pm);
  }

  // An unknown name is refused by pmpd-quantize.
  const QuantizerInfo *info = findQuantizer(options.quantizer.getValue());
  bool usesProducts = info && info->usesProducts;
  // Statistics to keep are of the unquantized model.
  bool onText = !options.calibration.empty() && options.statistics.empty() &&
                usesProducts;
  if (!options.calibration.empty() && !onText) {
    CalibrateOptions calibrate;
    calibrate.text = options.calibration;
    calibrate.tokenizer = options.tokenizer;
    calibrate.tokens = options.calibrationTokens;
    calibrate.output = statistics;
    calibrate.products = usesProducts;
    pm.addPass(createCalibrate(calibrate));
  }
  QuantizeOptions quantize;
  quantize.store = store;
  quantize.quantizer = options.quantizer;
  quantize.group = options.group;
  quantize.simulate = options.simulate;
  if (onText) {
    quantize.text = options.calibration;
    quantize.tokenizer = options.tokenizer;
    quantize.tokens = options.calibrationTokens;
  } else {
    quantize.statistics = statistics;
  }
  quantize.threads = options.threads;
  pm.addPass(createQuantize(quantize));

  SpecializeOptions specialize;
  specialize.prefillRows = options.prefillRows;
  pm.addPass(createSpecialize(specialize));
  QuantizeRowsOptions rows;
  rows.activations = options.activations;
  pm.addPass(createQuantizeRows(rows));

  PackOptions pack;
  pack.output = options.weights;
  pack.layout = layout;
  pm.addPass(createPack(pack));
}

static void addEmitCInterface(OpPassManager &pm,
                              const CompileOptions &options) {
  EmitCInterfaceOptions emit;
  emit.name = options.name;
  emit.features = options.features;
  emit.triple = options.triple;
  pm.addPass(createEmitCInterface(emit));
}

void buildCompileCPUPipeline(OpPassManager &pm, const CompileOptions &options) {
  buildRegions(pm, options, options.layout);
  pm.addPass(createGroupLaunches());
  pm.addPass(createPlanMemory());

  LowerToCPUOptions lower;
  lower.isa = options.isa;
  lower.nativeHalf = options.nativeHalf;
  pm.addPass(createLowerToCPU(lower));
  codegen::buildKernelLoweringPipeline(pm);

  addEmitCInterface(pm, options);
}

void buildCompileGPUPipeline(OpPassManager &pm, const CompileOptions &options) {
  buildRegions(pm, options, "gpu");
  pm.addPass(createGroupLaunches());
  pm.addPass(createPlanMemory());
  pm.addPass(createLowerToGPU());
  pm.addPass(createFuseLaunches());
  codegen::buildGpuLoweringPipeline(pm);
  if (options.gpus.empty())
    return;
  EmitGpuImagesOptions images;
  for (const std::string &chip : options.gpus)
    images.chips.push_back(chip);
  pm.addPass(createEmitGpuImages(images));
  codegen::buildKernelLoweringPipeline(pm); // of classifiers
  addEmitCInterface(pm, options);
}

void buildCompileNPUPipeline(OpPassManager &pm, const CompileOptions &options) {
  buildRegions(pm, options, "npu");
  pm.addPass(createNpuOutline());
  pm.addPass(createNpuFuse());
  pm.addPass(createNpuTile());
  NpuScheduleOptions schedule;
  schedule.scratchpad = options.scratchpad;
  pm.addPass(createNpuSchedule(schedule));
  NpuAllocateOptions allocate;
  allocate.scratchpad = options.scratchpad;
  pm.addPass(createNpuAllocate(allocate));
  pm.addPass(createNpuSync());
  NpuVerifyOptions verify;
  verify.scratchpad = options.scratchpad;
  pm.addPass(createNpuVerify(verify));
  NpuEmitOptions emit;
  emit.output = options.program;
  emit.config = options.npuConfig;
  pm.addPass(createNpuEmit(emit));
}

void registerPipelines() {
  PassPipelineRegistration<CompileOptions>(
      "pmpd-compile-cpu", "the whole compiler for CPUs, from onnx to LLVM",
      buildCompileCPUPipeline);
  PassPipelineRegistration<CompileOptions>(
      "pmpd-compile-gpu",
      "the whole compiler for NVIDIA GPUs, from onnx to LLVM; without gpu= to "
      "kernels in the nvvm dialect",
      buildCompileGPUPipeline);
  PassPipelineRegistration<CompileOptions>(
      "pmpd-compile-npu",
      "the whole compiler for the accelerator, from onnx to a program file",
      buildCompileNPUPipeline);
  PassPipelineRegistration<>(
      "pmpd-lower-gpu-kernels",
      "kernels of a gpu.module to the LLVM and NVVM dialects",
      codegen::buildGpuLoweringPipeline);
  PassPipelineRegistration<>(
      "pmpd-lower-classifiers",
      "networks of a learned scheduler, from onnx to loops",
      buildLowerClassifiersPipeline);
}

} // namespace pmpd
