// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Codegen/gpu/LowerToNVVM.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace pmpd::codegen {

void buildGpuLoweringPipeline(OpPassManager &pm) {
  auto &kernels = pm.nest<gpu::GPUModuleOp>();
  kernels.addPass(createCanonicalizerPass());
  kernels.addPass(createCSEPass());
  kernels.addPass(createLoopInvariantCodeMotionPass());
  kernels.addPass(createSCFToControlFlowPass());
  ConvertGpuOpsToNVVMOpsOptions options;
  options.indexBitwidth = 32;
  // Before the ops of the GPU: with them, maxima would become calls of
  // libdevice.
  ArithToLLVMConversionPassOptions arith;
  arith.indexBitwidth = options.indexBitwidth;
  kernels.addPass(createArithToLLVMConversionPass(arith));
  kernels.addPass(createConvertGpuOpsToNVVMOps(options));
  kernels.addPass(createConvertVectorToLLVMPass());
  kernels.addPass(createConvertMathToLLVMPass());
  // A pass over whole modules; in functions of the host it finds nothing.
  pm.addPass(createConvertControlFlowToLLVMPass());
  auto &lowered = pm.nest<gpu::GPUModuleOp>();
  lowered.addPass(createReconcileUnrealizedCastsPass());
  lowered.addPass(createCSEPass());
}

} // namespace pmpd::codegen
